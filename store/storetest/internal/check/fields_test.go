package check

import (
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// otherwise has the fields that the comparison of their record leaves out, with the reason.
var otherwise = map[string]string{
	"Subscription.SealedWith": "its rule compares it: it is the store's own where the store seals",
	"Delivery.Wait":           "it changes with time; its rules compare it",
	"Delivery.WaitUntil":      "it changes with time; its rules compare it",
}

// TestEachFieldIsCompared changes one field after the other of each record that rules compare: a
// field that somebody adds to the contract must be compared, or else a store that loses it passes.
func TestEachFieldIsCompared(t *testing.T) {
	t.Parallel()
	compare := func(same func(c *Check, got, want any)) func(got, want any) bool {
		return func(got, want any) bool {
			c := newCheck(false)
			same(c, got, want)
			return len(c.Violations()) > 0
		}
	}
	for _, record := range []struct {
		of      any
		differs func(got, want any) bool
	}{
		{store.Subscription{}, compare(func(c *Check, got, want any) {
			c.SameSubscription("", got.(store.Subscription), want.(store.Subscription))
			c.SameTimes("", got.(store.Subscription), want.(store.Subscription))
		})},
		{store.Delivery{}, compare(func(c *Check, got, want any) {
			c.SameDelivery("", got.(store.Delivery), want.(store.Delivery))
		})},
		{store.Attempt{}, compare(func(c *Check, got, want any) {
			c.SameAttempt("", got.(store.Attempt), want.(store.Attempt))
		})},
		{store.AttemptDetail{}, compare(func(c *Check, got, want any) {
			g, w := got.(store.AttemptDetail), want.(store.AttemptDetail)
			c.SameDetail("", &g, &w)
		})},
	} {
		typ := reflect.TypeOf(record.of)
		if record.differs(record.of, record.of) {
			t.Errorf("%s: two that are the same differ", typ.Name())
		}
		for i := range typ.NumField() {
			name := typ.Name() + "." + typ.Field(i).Name
			changed := reflect.New(typ).Elem()
			fill(t, name, changed.Field(i))
			differs := record.differs(changed.Interface(), record.of)
			if why := otherwise[name]; differs == (why != "") {
				t.Errorf("another %s is noticed: %t, want %t (%s)", name, differs, why == "", why)
			}
		}
	}
}

// TestWithSettingsSetsWhatFewHave checks that the rule about settings is about all of them. What
// the other rules set on a subscription is listed here: a new field is in WithSettings, or in this
// list and in the rule "create".
func TestWithSettingsSetsWhatFewHave(t *testing.T) {
	t.Parallel()
	elsewhere := map[string]bool{
		"ID": true, "Tenant": true, "Name": true, "URL": true, "Events": true, "Headers": true,
		"Secrets": true, "SealedWith": true, "OverlapUntil": true, "Status": true,
		"DisabledReason": true, "CreatedAt": true, "UpdatedAt": true, "SubscribedAt": true,
	}
	var sub store.Subscription
	WithSettings(&sub)
	v := reflect.ValueOf(sub)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() != elsewhere[name] {
			t.Errorf("%s: set by WithSettings: %t, want %t", name, !v.Field(i).IsZero(),
				!elsewhere[name])
		}
	}
}

// fill makes a value another one than zero.
func fill(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("another")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int8, reflect.Int32:
		v.SetInt(int64(time.Second))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, name, v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, name, key)
		fill(t, name, value)
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, name, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, name, v.Field(i))
		}
	case reflect.Array:
		fill(t, name, v.Index(0))
	default:
		t.Fatalf("%s: this test can't change a %s yet", name, v.Type())
	}
}
