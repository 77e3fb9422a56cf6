// Package readme holds the program in README.md to what the README says of it: that it compiles,
// that a stop loses and repeats nothing, and that it does not start where it can't listen. It has
// the compiler look at the Go in the other documents too, and holds that tests which documents name
// are there, and that every public package has an example. It has nothing but tests.
package readme
