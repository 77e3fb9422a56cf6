// Package nettest has the endpoints, name servers and certificates with which the dispatcher's
// tests run over real sockets. It is for tests alone.
//
// A test depends on nothing that it did not make. Listeners are on loopback, at ports that the
// system gave and that stay taken until the test ends. Names are made up for each test, so that no
// hosts file knows them (see [Name]). They are looked up at a name server of the test's own.
package nettest
