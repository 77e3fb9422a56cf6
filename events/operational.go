package events

import "encoding/json"

// The operational types: events about subscriptions themselves, which the dispatcher publishes when
// its options ask for them. They go only to subscriptions that name them.
const (
	TypeDisabled  = "webhook.disabled"  // a subscription was unsubscribed by the sender
	TypeExhausted = "webhook.exhausted" // a delivery was given up
)

// Operational reports whether eventType is one of the operational types.
func Operational(eventType string) bool {
	return eventType == TypeDisabled || eventType == TypeExhausted
}

// WebhookDisabled is the payload of TypeDisabled: the sender has unsubscribed a subscription,
// called a webhook here.
type WebhookDisabled struct {
	WebhookID string `json:"webhook_id"`
	Reason    string `json:"reason"` // its DisabledReason, in words
}

// WebhookExhausted is the payload of TypeExhausted: the delivery of an event to a webhook was given
// up.
type WebhookExhausted struct {
	WebhookID string `json:"webhook_id"`
	EventID   string `json:"event_id"`
	Type      string `json:"event_type"` // the event's
	Attempts  int    `json:"attempts"`   // how many there were
	// the HTTP status of the last one; 0 when there was no answer
	LastStatus int `json:"last_status"`
	// what was wrong with the last one, its class first: "timeout: no answer in time"
	Error  string `json:"error"`
	Reason string `json:"reason"` // why there is no further attempt, in words
}

// EventType returns TypeDisabled.
func (WebhookDisabled) EventType() string { return TypeDisabled }

// EventType returns TypeExhausted.
func (WebhookExhausted) EventType() string { return TypeExhausted }

// OperationalTypes returns the catalogue entries of the operational types. Each call returns its
// own copy.
func OperationalTypes() []Type {
	return []Type{{
		Name: TypeDisabled,
		Description: "A webhook was unsubscribed because its endpoint is gone, " +
			"or nothing succeeded for days.",
		Schema:  json.RawMessage(disabledSchema),
		Example: json.RawMessage(disabledExample),
	}, {
		Name:        TypeExhausted,
		Description: "The delivery of an event was given up after its last attempt.",
		Schema:      json.RawMessage(exhaustedSchema),
		Example:     json.RawMessage(exhaustedExample),
	}}
}

const disabledSchema = `{` + dialect + `,
"type":"object",
"required":["webhook_id","reason"],
"properties":{
  "webhook_id":{"type":"string","format":"uuid"},
  "reason":{"type":"string"}}}`

const exhaustedSchema = `{` + dialect + `,
"type":"object",
"required":["webhook_id","event_id","event_type","attempts","last_status","error","reason"],
"properties":{
  "webhook_id":{"type":"string","format":"uuid"},
  "event_id":{"type":"string"},
  "event_type":{"type":"string"},
  "attempts":{"type":"integer","minimum":1},
  "last_status":{"description":"0 when there was no answer","type":"integer","minimum":0},
  "error":{"type":"string"},
  "reason":{"type":"string"}}}`

const disabledExample = `{
"webhook_id":"3e639566-29fa-450d-a59f-ae3c25d7260f",
"reason":"nothing but failures for 120h0m0s"}`

const exhaustedExample = `{
"webhook_id":"3e639566-29fa-450d-a59f-ae3c25d7260f",
"event_id":"018f3c1e-7a55-7000-8000-000000000001",
"event_type":"message.created",
"attempts":12,
"last_status":503,
"error":"http_status: 503 Service Unavailable",
"reason":"its attempts are used up"}`
