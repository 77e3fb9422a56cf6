package sealed

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// sealSubscription replaces what is secret in sub by its sealed form. It changes no slice and no
// map of sub's.
func (r *keyring) sealSubscription(sub *store.Subscription) {
	sub.Secrets, sub.Headers, _ = mapped(sub, func(f field, value string) (string, error) {
		return r.seal(f, value), nil
	})
	sub.SealedWith = ""
	if hasSecrets(sub) {
		sub.SealedWith = r.first
	}
}

// openSubscription is the opposite; plain values pass. After an error sub is as it was.
func (r *keyring) openSubscription(sub *store.Subscription) error {
	if sub.SealedWith == "" {
		return nil
	}
	secrets, headers, err := mapped(sub, func(f field, value string) (string, error) {
		return r.open(sub.SealedWith, f, value)
	})
	if err == nil {
		sub.Secrets, sub.Headers, sub.SealedWith = secrets, headers, ""
	}
	return err
}

// currentSubscription reports whether everything in sub is sealed as sealSubscription would.
func (r *keyring) currentSubscription(sub *store.Subscription) bool {
	return sub.SealedWith == r.first || sub.SealedWith == "" && !hasSecrets(sub)
}

// hasSecrets reports whether there is anything to seal.
func hasSecrets(sub *store.Subscription) bool {
	return len(sub.Secrets) > 0 || len(sub.Headers) > 0
}

// keepsSealed reports whether a change has left everything that is sealed as it is stored, and what
// it is bound to.
func keepsSealed(is, was *store.Subscription) bool {
	return is.SealedWith == was.SealedWith && is.URL == was.URL &&
		slices.Equal(is.Secrets, was.Secrets) && maps.Equal(is.Headers, was.Headers)
}

// keepsOne reports whether a change has left one of the values that are sealed.
func keepsOne(is, was *store.Subscription) bool {
	values := slices.Collect(maps.Values(was.Headers))
	for _, value := range is.Headers {
		if slices.Contains(values, value) {
			return true
		}
	}
	return slices.ContainsFunc(is.Secrets, func(secret signing.Secret) bool {
		return slices.Contains(was.Secrets, secret)
	})
}

// mapped returns what f makes of sub's secrets and headers, in memory of its own. What is nil stays
// nil.
func mapped(sub *store.Subscription, f func(field, string) (string, error)) (
	secrets []signing.Secret, headers map[string]string, err error,
) {
	if sub.Secrets != nil {
		secrets = make([]signing.Secret, len(sub.Secrets))
	}
	for i, secret := range sub.Secrets {
		value, err := f(field{subscription: sub, secret: i}, string(secret))
		if err != nil {
			return nil, nil, err
		}
		secrets[i] = signing.Secret(value)
	}
	if sub.Headers != nil {
		headers = make(map[string]string, len(sub.Headers))
	}
	for name, value := range sub.Headers {
		if headers[name], err = f(field{subscription: sub, header: name}, value); err != nil {
			return nil, nil, err
		}
	}
	return secrets, headers, nil
}
