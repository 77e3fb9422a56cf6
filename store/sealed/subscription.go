package sealed

import (
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// sealSubscription replaces the secret values of sub by sealed ones. It does not change the slices
// and maps of sub, but replaces them.
func (r *keyring) sealSubscription(sub *store.Subscription) {
	sub.Secrets, sub.Headers, _ = mapped(sub, func(f field, value string) (string, error) {
		return r.seal(f, value), nil
	})
}

// openSubscription replaces the sealed values of sub by plaintext. After an error sub is as it was.
func (r *keyring) openSubscription(sub *store.Subscription) error {
	secrets, headers, err := mapped(sub, r.open)
	if err == nil {
		sub.Secrets, sub.Headers = secrets, headers
	}
	return err
}

// currentSubscription reports whether everything in sub is sealed as sealSubscription would.
func (r *keyring) currentSubscription(sub *store.Subscription) bool {
	for _, secret := range sub.Secrets {
		if !r.current(string(secret)) {
			return false
		}
	}
	for _, value := range sub.Headers {
		if !r.current(value) {
			return false
		}
	}
	return true
}

// mapped returns new secrets and headers, with f applied to each value. nil stays nil.
func mapped(sub *store.Subscription, f func(field, string) (string, error)) (
	secrets []signing.Secret, headers map[string]string, err error,
) {
	if sub.Secrets != nil {
		secrets = make([]signing.Secret, len(sub.Secrets))
	}
	for i, secret := range sub.Secrets {
		value, err := f(field{subscription: sub.ID}, string(secret))
		if err != nil {
			return nil, nil, err
		}
		secrets[i] = signing.Secret(value)
	}
	if sub.Headers != nil {
		headers = make(map[string]string, len(sub.Headers))
	}
	for name, value := range sub.Headers {
		if headers[name], err = f(field{sub.ID, name}, value); err != nil {
			return nil, nil, err
		}
	}
	return secrets, headers, nil
}
