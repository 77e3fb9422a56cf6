// Package console serves a web page on the host's own mux: an operator sees the webhooks of all
// tenants there, and a customer sees and repairs its own.
//
//	err := console.Mount(mux, "/admin/webhooks/", d, admins, nil)
//
// It has no build step and loads nothing from elsewhere. It works at the root, below a path, behind
// [http.StripPrefix] and behind proxies that remove a prefix, without being told: all links are
// relative. It works without JavaScript, which adds refreshing, keys, copying and local times.
//
// # Who may see what
//
// There is no default: an [Authorizer] of the host says for each request whose webhooks its sender
// sees, and what it may do beside looking. What belongs to another tenant is answered by the same
// bytes as what does not exist. A [Link] lets customers in who are logged in to another program of
// the host's.
//
// # What is never shown
//
// Keys, but for a new one, once, to the browser that has made it; the values of a webhook's
// headers; the query of its URL. What endpoints answered is shown to those who may see payloads.
//
// What others wrote (payloads, answers, names, URLs) is text, and what can't be seen in it, such as
// control characters and those that change the direction of writing, is shown as an escape. The
// Content-Security-Policy allows scripts and styles of the console alone and nothing inline. Every
// POST must come from the same origin.
package console
