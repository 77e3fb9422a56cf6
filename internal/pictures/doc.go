// Package pictures draws the life of a delivery, docs/pictures/delivery.svg, and looks at all
// pictures of the documents.
//
// A Dispatcher runs in fake time, and its endpoint answers badly, late, not at all, and at last
// well. What is drawn is what the Dispatcher's own methods then say of the attempts, the delivery
// and the webhook, so a test can draw it again and compare. When the behaviour has changed, draw it
// anew:
//
//	go test ./internal/pictures -run TestLifeOfADelivery -draw
//
// The other pictures are of measurements: go run ./internal/bench -draw docs/pictures, and go run
// ./internal/faults/picture.
package pictures
