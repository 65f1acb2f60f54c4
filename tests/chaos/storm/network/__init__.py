"""The network between the services and their stores: a proxy for each store, with faults that are switched on."""
