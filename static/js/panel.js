/* The publishing panel: ask how far each tier has got, until all have settled. */

const WAITS = [500, 1000, 2000, 4000, 5000];

const list = document.getElementById("tiers");
if (list) watch(list);

function watch(place) {
  const until = Date.now() + Number(place.dataset.seconds) * 1000;
  let asked = 0, timer = 0;

  const later = () => { timer = setTimeout(ask, WAITS[Math.min(asked, WAITS.length - 1)]); };

  async function ask() {
    if (document.hidden || Date.now() > until) return;
    asked += 1;
    try {
      const response = await fetch(place.dataset.url, { headers: { Accept: "application/json" } });
      if (response.status === 401) return;
      if (response.ok) {
        const { tiers, settled } = await response.json();
        if (tiers.length) place.replaceChildren(...tiers.map(row));
        if (settled) return;
      }
    } catch { /* try again later */ }
    later();
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) { asked = 0; later(); }
  });
  later();
}

function row(tier) {
  const item = document.createElement("li");
  item.className = tier.state;
  const name = document.createElement("strong");
  name.textContent = tier.name;
  const text = document.createElement("span");
  text.textContent = describe(tier);
  item.append(name, " ", text);
  return item;
}

function describe(tier) {
  const retry = tier.retry_at ? `; next try at ${new Date(tier.retry_at).toLocaleTimeString()}` : "";
  switch (tier.state) {
    case "fresh": return tier.took_ms === null ? "fresh" : `fresh after ${tier.took_ms} ms`;
    case "refused": return `refused: ${tier.reason}`;
    case "broken": return `can’t be purged: ${tier.reason}${retry}`;
    default: return `waiting, ${tier.done} of ${tier.total} accepted${tier.reason ? `: ${tier.reason}` : ""}${retry}`;
  }
}
