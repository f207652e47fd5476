"""Where the gateway keeps responses: in memory or in LMDB."""
