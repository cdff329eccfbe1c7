package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Access is what the owner of a [Key] may do. It is the key without its secret.
type Access struct {
	Name       string   // the key's, for people
	Namespaces []string // names or ids; nil for all
	ReadOnly   bool

	hash [sha256.Size]byte // of the secret
	id   string            // see [Handler.AccessID]
}

// Allows reports whether the key may enter the namespace that has one of the names or
// ids.
func (a *Access) Allows(names ...string) bool {
	return a.Namespaces == nil || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(a.Namespaces, name) })
}

// All reports whether the key has all rights: it writes, in all namespaces.
func (a *Access) All() bool { return a.Namespaces == nil && !a.ReadOnly }

type keyring []Access

func newKeyring(keys []Key) (keyring, error) {
	var ring keyring
	for i, k := range keys {
		entry := Access{Name: k.Name, Namespaces: slices.Clone(k.Namespaces), ReadOnly: k.ReadOnly}
		switch {
		case (k.Secret == "") == (k.Hash == ""):
			return nil, fmt.Errorf("httpapi: key %d: a secret or a hash expected", i+1)
		case k.Secret != "":
			entry.hash = sha256.Sum256([]byte(k.Secret))
		default:
			hash, err := hex.DecodeString(k.Hash)
			if err != nil || len(hash) != sha256.Size {
				return nil, fmt.Errorf("httpapi: key %d: hash: 64 hexadecimal digits expected", i+1)
			}
			copy(entry.hash[:], hash)
		}
		if slices.ContainsFunc(ring, func(other Access) bool { return other.hash == entry.hash }) {
			return nil, fmt.Errorf("httpapi: key %d: it is there twice", i+1)
		}
		ring = append(ring, entry)
	}
	return ring, nil
}

// of returns the access that a secret gives, or nil.
func (ring keyring) of(secret string) *Access {
	hash := sha256.Sum256([]byte(secret))
	return ring.withHash(hash[:])
}

// withHash returns the access whose secret has the hash, or nil. All keys are compared, so
// that the time does not tell which one it was.
func (ring keyring) withHash(hash []byte) (found *Access) {
	for i := range ring {
		if subtle.ConstantTimeCompare(hash, ring[i].hash[:]) == 1 {
			found = &ring[i]
		}
	}
	return found
}

// find returns the access of the key that a request has in its Authorization header.
func (ring keyring) find(r *http.Request) (*Access, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, unauthorized("header Authorization: \"Bearer\" and an API key expected")
	}
	if found := ring.of(secret); found != nil {
		return found, nil
	}
	return nil, unauthorized("the API key is not known")
}

// AccessOf returns what the owner of a key may do, or nil if the handler has no such key.
// Only the Secret or the Hash of the key counts.
func (h *Handler) AccessOf(k Key) *Access {
	if k.Secret != "" {
		return h.keys.of(strings.TrimSpace(k.Secret))
	}
	hash, err := hex.DecodeString(k.Hash)
	if err != nil {
		return nil
	}
	return h.keys.withHash(hash)
}

// accessIDBytes is the length of an id in bytes.
const accessIDBytes = 12

// AccessID identifies a key among those of the handler, in 24 hexadecimal digits. It is the
// same in each process that has the key and the [Options].SigningKey. Without the latter
// nobody can test guesses of the secret with it.
func (h *Handler) AccessID(a *Access) string { return a.id }

// AccessByID returns what the owner of the key with the [Handler.AccessID] may do, or nil
// if there is no such key.
func (h *Handler) AccessByID(id string) (found *Access) {
	for i := range h.keys {
		if subtle.ConstantTimeCompare([]byte(h.keys[i].id), []byte(id)) == 1 {
			found = &h.keys[i]
		}
	}
	return found
}
