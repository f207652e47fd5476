vcl 4.1;
# @{title}
# Generated from the routes of the app by `flask edge config varnish`; run it again after changes.
#
# For Varnish 7 with the modules of the package varnish-modules, started with
#
#   @{command}
#
# default_grace=0: a page is served stale only as long as its own headers allow.
# http_gzip_support=off: the origin compresses pages, also with brotli, and sends Vary.
# http_req_hdr_len, http_req_size: a purge has up to 500 tags in one line.
# http_resp_hdr_len (8k) and http_max_hdr (64) suffice: a page has one tag and about twenty headers.
#
# The origins: FLASK_EDGE=@{edges} and FLASK_PROXIES=1. They must not send 103 Early Hints.
@{secret_note}

import directors;
import header;
import std;
import var;
import vsthrottle;
import xkey;

probe healthy {
    .url = "/healthz";
    .interval = @{probe_interval};
    .timeout = 2s;
    .window = 4;
    .threshold = 2;
    .initial = 2;
}

@{backends}acl purgers {
@{purgers}}

sub vcl_init {
    new origins = directors.@{director}();
@{members}}

sub vcl_recv {
    if (req.url ~ "^.{8001}") {
        return (synth(414, "URI Too Long"));
    }
    set req.backend_hint = origins.backend();
    if (req.restarts > 0) {
        return (hash);
    }
    # Only this file may set these names. A server may read a name with an underscore as the same
    # name with a hyphen.
    header.regsub(req, "^(?i)(@{prefix}-[^:]*|[^:_]*_[^:]*):.*$", "@{prefix}-Dropped: yes");
    unset req.http.@{prefix}-Dropped;
    if (req.method == "PURGE") {
        call @{identifier}_purge;
    }
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    unset req.http.X-Forwarded-Port;
    unset req.http.X-Forwarded-Prefix;
    unset req.http.X-HTTP-Method-Override;
    unset req.http.X-Original-URL;
    unset req.http.X-Rewrite-URL;
    unset req.http.Proxy;
    unset req.http.Early-Data;
    call @{identifier}_range;
    set req.http.X-Forwarded-Proto = "@{scheme}";
    set req.http.@{prefix}-Path = regsub(req.url, "\?.*$", "");
    if (req.http.@{prefix}-Path != "/healthz") {
        if (req.http.Host !~ "@{host_pattern}") {
            return (synth(421, "Misdirected Request"));
        }
        set req.http.Host = "@{host}";
    }
    if (req.method !~ "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$") {
        return (synth(405, "Method Not Allowed"));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        set req.http.@{prefix}-Forwarded = "method";
        return (pass);
    }
    call @{identifier}_route;
    if (req.http.@{prefix}-Route == "private" || req.http.Authorization) {
        set req.http.@{prefix}-Forwarded = "bypass";
        return (pass);
    }
    if (req.http.@{prefix}-Route == "unknown" && req.http.Cookie) {
        set req.http.@{prefix}-Forwarded = "bypass";
        return (pass);
    }
    unset req.http.Cookie;
    call @{identifier}_encoding;
    # The built-in vcl_recv continues from here and looks the page up.
}

# Only a single valid range of a GET is used, as RFC 9110 section 14.2 allows. Any other Range is
# ignored: Varnish would answer it with 416 and the Cache-Control of the page.
sub @{identifier}_range {
    if (req.method != "GET" || req.http.Range !~ "(?i)^bytes=([0-9]+-[0-9]*|-[0-9]+)$") {
        unset req.http.Range;
    }
    if (req.http.Range ~ "-[0-9]{16}") {
        set req.http.Range = regsub(req.http.Range, "^(bytes=[0-9]*-)[0-9]+$", "\1999999999999999");
    }
    if (req.http.Range ~ "=[0-9]+-[0-9]" &&
        std.integer(regsub(req.http.Range, "^.*=([0-9]+)-.*$", "\1"), 999999999999999) >
        std.integer(regsub(req.http.Range, "^.*-", ""), 0)) {
        unset req.http.Range;
    }
}

# A range that begins after the end of the page gets a 416, which is never stored. If the request
# has a condition too, the condition comes first and the range is ignored.
sub @{identifier}_unsatisfiable {
    if (req.http.If-None-Match || req.http.If-Modified-Since || req.http.If-Range ||
        !resp.http.Content-Length) {
        unset req.http.Range;
    } else {
        set req.http.@{prefix}-Length = resp.http.Content-Length;
        return (synth(416, "Range Not Satisfiable"));
    }
}

# The class of the app's route: public, private, or unknown if no route matches.
sub @{identifier}_route {
    set req.http.@{prefix}-Route = "unknown";
@{routes}}

# Normalise Accept-Encoding, so that a page has at most three variants.
sub @{identifier}_encoding {
    if (req.http.Accept-Encoding ~ "(?i)(^|,)\s*br\s*(;\s*q=(1|0?\.0*[1-9])[0-9.]*\s*)?(,|$)") {
        set req.http.Accept-Encoding = "br";
    } elsif (req.http.Accept-Encoding ~ "(?i)(^|,)\s*gzip\s*(;\s*q=(1|0?\.0*[1-9])[0-9.]*\s*)?(,|$)") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
}

# PURGE / with `xkey-softpurge: <tag> <tag>` or `xkey-purge: <tag> <tag>`, from a known address
# and with the secret.
sub @{identifier}_purge {
    if (client.ip !~ purgers) {
        return (synth(403, "Purging is not allowed from here"));
    }
    # Never put the secret into a header field: those are logged. Without it every purge is refused.
    if (req.http.Authorization !~ "^Bearer .{16}" ||
        req.http.Authorization != "Bearer " + @{secret}) {
        return (synth(403, "The secret is wrong"));
    }
    # Record the time first: pages that are stale now may no longer be served while they are fetched.
    var.global_set("purged", std.time2real(now, 0.0));
    std.collect(req.http.xkey-softpurge, " ");
    std.collect(req.http.xkey-purge, " ");
    if (req.http.xkey-softpurge) {
        return (synth(200, "Purged softly: " + xkey.softpurge(req.http.xkey-softpurge)));
    }
    if (req.http.xkey-purge) {
        return (synth(200, "Purged: " + xkey.purge(req.http.xkey-purge)));
    }
    return (synth(405, "Say xkey-softpurge or xkey-purge"));
}

# The page is in the cache, fresh or within the longer of its two grace times.
sub vcl_hit {
    if (obj.ttl > 0s) {
        return (deliver);
    }
    if (req.http.@{prefix}-Stale == "failed") {
        if (obj.ttl + std.duration(obj.http.@{prefix}-If-Error + "s", 0s) > 0s) {
            set req.http.@{prefix}-Detail = "stale-if-error";
            return (deliver);
        }
        return (synth(503, "Service Unavailable"));
    }
    # Serve it while it is fetched only if its TTL ended and it was not purged. A soft purge does
    # not change stale pages, so any purge since the end of the TTL may have been for this page.
    if (obj.ttl + std.duration(obj.http.@{prefix}-While-Revalidate + "s", 0s) > 0s &&
        std.time(var.global_get("purged"), now - 3650d) < now + obj.ttl - 1s) {
        set req.http.@{prefix}-Detail = "stale-while-revalidate";
        return (deliver);
    }
    if (obj.ttl + std.duration(obj.http.@{prefix}-If-Error + "s", 0s) > 0s) {
        if (!std.healthy(req.backend_hint) ||
            vsthrottle.remaining("failed " + req.url, 1, 1s) == 0) {
            set req.http.@{prefix}-Detail = "stale-if-error";
            return (deliver);
        }
    }
    set req.http.@{prefix}-Stale = "asked";
    set req.grace = 0s;
    return (restart);
}

sub vcl_miss {
    # A request that waited for a failed fetch does not start another one.
    if (req.http.@{prefix}-Stale == "asked" &&
        vsthrottle.remaining("failed " + req.url, 1, 1s) == 0) {
        set req.http.@{prefix}-Stale = "failed";
        set req.grace = 3650d;
        return (restart);
    }
    if (req.http.@{prefix}-Stale) {
        set req.http.@{prefix}-Forwarded = "stale";
    } else {
        set req.http.@{prefix}-Forwarded = "miss";
    }
}

sub vcl_pass {
    if (!req.http.@{prefix}-Forwarded) {
        set req.http.@{prefix}-Forwarded = "bypass";
    }
}

sub vcl_backend_fetch {
    # A request that got a stale page because the origin failed does not fetch it again.
    if (bereq.is_bgfetch && bereq.http.@{prefix}-Stale) {
        return (abandon);
    }
    if (bereq.retries > 0) {
        set bereq.backend = origins.backend();
    }
    unset bereq.http.@{prefix}-Path;
    unset bereq.http.@{prefix}-Route;
    unset bereq.http.@{prefix}-Query;
    unset bereq.http.@{prefix}-Forwarded;
    unset bereq.http.@{prefix}-Detail;
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        call @{identifier}_failed;
    }
    if (!bereq.uncacheable) {
        call @{identifier}_lifetime;
    }
    # The built-in vcl_backend_response continues from here, with its own checks.
}

# An error never replaces a stored page.
sub @{identifier}_failed {
    if (bereq.is_bgfetch || bereq.http.@{prefix}-Stale) {
        if (@{may_retry}beresp.status >= 502 && beresp.status <= 504) {
            return (retry);
        }
        return (abandon);
    }
    if (@{may_retry}beresp.status >= 502 && beresp.status <= 504 &&
        (bereq.method == "GET" || bereq.method == "HEAD")) {
        return (retry);
    }
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    set beresp.uncacheable = true;
    return (deliver);
}

# Set the TTL and the grace times from the headers of the origin.
sub @{identifier}_lifetime {
    std.collect(beresp.http.Cache-Control);
    std.collect(beresp.http.Surrogate-Control);
    std.collect(beresp.http.Vary);
    std.collect(beresp.http.xkey, " ");
    set beresp.grace = 0s;
    set beresp.keep = 10m;
    if (beresp.http.Surrogate-Control) {
        set beresp.http.@{prefix}-Says = beresp.http.Surrogate-Control;
        # Counted from the time of rendering, not from now.
        set beresp.ttl = std.duration(
            regsub(beresp.http.@{prefix}-Says, "(?i)^(.*[ ,])?max-age=([0-9]+).*$", "\2") + "s",
            0s) - beresp.age;
    } else {
        set beresp.http.@{prefix}-Says = "" + beresp.http.Cache-Control;
        if (beresp.http.@{prefix}-Says !~ "(?i)(^|[ ,])(s-maxage|max-age)=[0-9]") {
            set beresp.ttl = 0s;
        }
    }
    if (beresp.http.Cache-Control ~ "(?i)no-store|private" ||
        beresp.http.@{prefix}-Says ~ "(?i)no-store|private|no-cache" ||
        beresp.http.Vary ~ "(?i)\*|(^|[ ,])(Cookie|Authorization)($|[ ,])" ||
        beresp.http.Set-Cookie || beresp.ttl <= 0s) {
        set beresp.ttl = 120s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    call @{identifier}_stale;
    # Varnish computes Age; if it were stored, a 304 would count it twice.
    unset beresp.http.Age;
    if (beresp.http.xkey !~ "(^|[ ,])all($|[ ,])") {
        set beresp.http.xkey = regsub(beresp.http.xkey + " all", "^ +", "");
    }
    if (std.integer(beresp.http.Content-Length, 0) > @{largest}) {
        # Too large to store: forward it as it arrives, with the requested ranges.
        return (pass(1h));
    }
    if (std.integer(beresp.http.Content-Length, 0) < 1000000) {
        # Fetch the whole body first: an incomplete one is an error, and the stored page is served.
        set beresp.do_stream = false;
    }
}

# Store the two grace times with the page; s-maxage and similar directives forbid both.
sub @{identifier}_stale {
    set beresp.http.@{prefix}-While-Revalidate = "0";
    set beresp.http.@{prefix}-If-Error = "0";
    if (beresp.http.@{prefix}-Says !~ "(?i)must-revalidate|proxy-revalidate|s-maxage") {
        if (beresp.http.@{prefix}-Says ~ "(?i)(^|[ ,])stale-while-revalidate=[0-9]") {
            set beresp.http.@{prefix}-While-Revalidate = regsub(beresp.http.@{prefix}-Says,
                "(?i)^(.*[ ,])?stale-while-revalidate=([0-9]+).*$", "\2");
        }
        if (beresp.http.@{prefix}-Says ~ "(?i)(^|[ ,])stale-if-error=[0-9]") {
            set beresp.http.@{prefix}-If-Error = regsub(beresp.http.@{prefix}-Says,
                "(?i)^(.*[ ,])?stale-if-error=([0-9]+).*$", "\2");
        }
    }
    unset beresp.http.@{prefix}-Says;
    set beresp.grace = std.duration(beresp.http.@{prefix}-While-Revalidate + "s", 0s);
    if (beresp.grace < std.duration(beresp.http.@{prefix}-If-Error + "s", 0s)) {
        set beresp.grace = std.duration(beresp.http.@{prefix}-If-Error + "s", 0s);
    }
}

sub vcl_backend_error {
    if (@{may_retry}(bereq.method == "GET" || bereq.method == "HEAD")) {
        return (retry);
    }
    if (bereq.is_bgfetch || bereq.http.@{prefix}-Stale) {
        return (abandon);
    }
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.X-Content-Type-Options = "nosniff";
    set beresp.http.Retry-After = "5";
    set beresp.ttl = 0s;
    set beresp.grace = 0s;
    set beresp.uncacheable = true;
    set beresp.body = {"The site can't be reached just now. Please try again.
"};
    return (deliver);
}

sub vcl_synth {
    if (req.http.@{prefix}-Stale == "asked" && resp.status == 503) {
        # The origin failed: for one second no other request tries the same fetch.
        if (vsthrottle.is_denied("failed " + req.url, 1, 1s)) {
            std.log("@{own_name}: failed again: " + req.url);
        }
        set req.http.@{prefix}-Stale = "failed";
        set req.grace = 3650d;
        return (restart);
    }
    set resp.http.Cache-Control = "no-store";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.http.X-Content-Type-Options = "nosniff";
    if (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    }
    if (resp.status == 416) {
        set resp.http.Content-Range = "bytes */" + req.http.@{prefix}-Length;
    }
    set resp.body = resp.reason + {"
"};
    return (deliver);
}

# Append to Cache-Status (RFC 9211) what happened to the request; remove the internal fields.
sub vcl_deliver {
    if (resp.status == 200 && req.http.Range) {
        if (!resp.http.Content-Length || req.http.Range ~ "=-0+$" ||
            (req.http.Range ~ "=[0-9]" &&
            std.integer(regsub(req.http.Range, "^.*=([0-9]+)-.*$", "\1"), 999999999999999) >=
            std.integer(resp.http.Content-Length, 0))) {
            call @{identifier}_unsatisfiable;
        }
    }
    if (resp.status == 416) {
        set resp.http.Cache-Control = "no-store";
        unset resp.http.Expires;
    }
    if (obj.hits > 0 && !obj.uncacheable) {
        set req.http.@{prefix}-Status = "varnish; hit; ttl=" + std.integer(duration=obj.ttl);
        if (req.http.@{prefix}-Detail) {
            set req.http.@{prefix}-Status = req.http.@{prefix}-Status + "; detail=" + req.http.@{prefix}-Detail;
        }
    } else {
        set req.http.@{prefix}-Status = "varnish; fwd=" + req.http.@{prefix}-Forwarded;
        if (!obj.uncacheable) {
            set req.http.@{prefix}-Status = req.http.@{prefix}-Status + "; stored";
        }
    }
    std.collect(resp.http.Cache-Status);
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + req.http.@{prefix}-Status;
    } else {
        set resp.http.Cache-Status = req.http.@{prefix}-Status;
    }
@{hidden}    header.regsub(resp, "^(?i)@{prefix}-[^:]*:.*$", "@{prefix}-Dropped: yes");
    unset resp.http.@{prefix}-Dropped;
}
