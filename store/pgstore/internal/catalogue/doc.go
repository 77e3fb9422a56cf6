// Package catalogue stores subscriptions: who gets which events, and where they go.
//
// It keeps the table of patterns, by which publishers find recipients, in step with them, in the
// statements that change a subscription. Unsubscribing raises the subscription's canceled_to: all
// that became pending before that number is canceled, though its rows are changed later (by Prune).
// The change is a notice to the owner of the share.
package catalogue
