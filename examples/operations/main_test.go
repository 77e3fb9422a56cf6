package main

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"
)

func TestOperations(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	// On a slow machine one more attempt may start before the webhook is switched off.
	want := regexp.MustCompile(`^1\. All is well: 2 orders published, 2 arrived\.

2\. The endpoint is down: 3 orders published, still 2 arrived\. Each was tried 3 times\.

3\. What the API shows, from POST /webhooks\.deliveries, \.attempts and \.stats:
(   order\.created dead \(attempts: 3\): http_status: 503 Service Unavailable
){3}   attempt 1 of the last: 503 "closed for maintenance\\n"
   attempt 2 of the last: 503 "closed for maintenance\\n"
   attempt 3 of the last: 503 "closed for maintenance\\n"
   Subscribed, breaker closed, 9 failures in a row; in the last hour 2 attempts succeeded and 9 failed

4\. It stays down, and its failures reach the limit; what is published now is kept for later:
   mail to the owner: your webhook "CRM" was switched off: nothing but failures for 3s
   order\.created canceled \(attempts: 0\): nothing but failures for 3s
(   order\.created canceled \(attempts: [12]\): nothing but failures for 3s
)?   Unsubscribed, breaker open, 1[0-2] failures in a row; in the last hour 2 attempts succeeded and 1[0-2] failed

5\. The endpoint is repaired: POST /webhooks\.ping says 200\. Its owner switches the webhook on\.

6\. POST /webhooks\.replay of what is dead or canceled: 5 in a dry run;
   5 replayed, 7 orders delivered in all\.

Done: all 7 orders have arrived\.
$`)
	if !want.Match(out.Bytes()) {
		t.Errorf("it printed\n%s\nwant\n%s", &out, want)
	}
}
