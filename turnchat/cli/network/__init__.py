"""Options for the open net, a module for each: TLS, balancers, service managers, metrics."""
