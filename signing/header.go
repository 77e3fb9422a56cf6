package signing

// The headers of a delivery that have to do with signatures.
const (
	HeaderAiry      = "X-Airy-Content-Signature" // what Airy returns
	HeaderID        = "webhook-id"               // the event's id, the same on every attempt
	HeaderTimestamp = "webhook-timestamp"        // the attempt's time, whole seconds since 1970
	HeaderSignature = "webhook-signature"        // what Standard returns
	HeaderAttempt   = "webhook-attempt"          // 1, 2, 3 …; not covered by any signature
)
