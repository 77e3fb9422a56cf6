package schema

// NotSettled is the SQLSTATE of a transaction that would change something of a tenant that is not
// settled (store.TenantState): the function require_settled raises it.
const NotSettled = "OH001"
