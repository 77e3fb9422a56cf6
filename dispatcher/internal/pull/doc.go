// Package pull gives deliveries to those who fetch them: of a subscription without a URL.
//
// Such deliveries stay pending in the store, which gives out none in Claim. A poll reads the oldest
// of them, in their order, and composes each as an attempt would send it, with its signatures. The
// next poll brings the cursor of the answer, which says what was in it; that is now recorded as
// delivered. So nothing is lost with an answer that does not arrive: without its cursor the next
// poll reads the same again. Nothing else is written, and no lease is taken, so any process of a
// host can take any poll.
//
// A cursor names each delivery of its answer, and not a position up to which all was read: an older
// event can become pending later, by a redelivery, or as its transaction commits late. Such an
// event comes first in the next answer.
package pull
