"""Several servers behind HAProxy, under load: one is killed, another one is drained."""
