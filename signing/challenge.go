package signing

import "encoding/json"

// typeChallenge is the type of the event that asks an endpoint whether it wants deliveries.
const typeChallenge = "webhook.challenge"

// Challenge returns the challenge of a request that asks whether this endpoint wants deliveries: an
// event of the type webhook.challenge. ok is false for any other body. Verify the request first,
// as every other; then answer 200 with the challenge as the body, or with {"challenge":"…"}:
//
//	if challenge, ok := signing.Challenge(body); ok {
//		io.WriteString(w, challenge)
//		return
//	}
//
// An endpoint agrees by that to get deliveries, so answer only if it is to have them.
func Challenge(body []byte) (challenge string, ok bool) {
	var event struct {
		Type    string `json:"type"`
		Payload struct {
			Challenge string `json:"challenge"`
		} `json:"payload"`
	}
	if json.Unmarshal(body, &event) != nil || event.Type != typeChallenge {
		return "", false
	}
	return event.Payload.Challenge, event.Payload.Challenge != ""
}
