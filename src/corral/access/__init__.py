"""Who may do what: users, groups, roles, ACLs, pools, realms, log-in, tickets and API tokens."""
