package dispatcher

import "github.com/outhook/outhook/dispatcher/internal/send"

// Class is the kind of a failed attempt: the first word of store.Attempt.Error, before a colon.
type Class string

const (
	// ClassBlockedAddress, "blocked_address": deliveries must not go to the host's address.
	ClassBlockedAddress Class = send.ClassBlockedAddress

	// ClassDNS, "dns": the host's name did not resolve.
	ClassDNS Class = send.ClassDNS

	// ClassConnect, "connect": no connection, or it broke before an answer.
	ClassConnect Class = send.ClassConnect

	// ClassTLS, "tls": the handshake failed, or the certificate is not good.
	ClassTLS Class = send.ClassTLS

	// ClassTimeout, "timeout": no answer in time.
	ClassTimeout Class = send.ClassTimeout

	// ClassHTTPStatus, "http_status": an answer that is not success.
	ClassHTTPStatus Class = send.ClassHTTPStatus

	// ClassResponse, "response": something that is not an HTTP answer, or one past a limit.
	ClassResponse Class = send.ClassResponse

	// ClassCanceled, "canceled": cut off by the sender, as it was stopping.
	ClassCanceled Class = send.ClassCanceled

	// ClassSender, "sender": the sender's own fault, which the text names: a function of Options
	// failed or panicked, or the store has a URL or header that Subscribe would have refused. The
	// subscription's health stays as it is.
	ClassSender Class = send.ClassSender
)

// Classes lists the classes.
func Classes() []Class {
	return []Class{ClassBlockedAddress, ClassDNS, ClassConnect, ClassTLS, ClassTimeout,
		ClassHTTPStatus, ClassResponse, ClassCanceled, ClassSender}
}

// ErrorClass returns the class of a store.Attempt.Error or store.Delivery.LastError; "" is none.
func ErrorClass(text string) Class { return Class(send.Class(text)) }
