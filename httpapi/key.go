package httpapi

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Key is an API key. A client that has its secret has access.
type Key struct {
	// Name is the name of the key in the log. Default: none.
	Name string
	// Secret is the text after "Bearer". Only its SHA-256 is kept.
	Secret string
	// Hash is the SHA-256 of the secret in hexadecimal. Exactly one of Secret and Hash
	// is given.
	Hash string
	// Namespaces are the names or ids of the namespaces that the key may use. It sees
	// no others, nor their tasks, and gives namespaces no other names. Default: all. A
	// name means the namespace that has it at the time: prefer ids if others may
	// rename. The tasks of a deleted namespace are seen only by a key with its id,
	// except the task of its deletion.
	Namespaces []string
	// ReadOnly refuses requests that change anything.
	ReadOnly bool
}

// key is a Key without its secret.
type key struct {
	Key
	hash [sha256.Size]byte
}

// allows reports whether the key may enter the namespace with the name or id.
func (k *key) allows(names ...string) bool {
	return k.Namespaces == nil || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(k.Namespaces, name) })
}

type keyring []key

func newKeyring(keys []Key) (keyring, error) {
	var ring keyring
	for i, k := range keys {
		entry := key{Key: k}
		entry.Namespaces = slices.Clone(k.Namespaces)
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
		if slices.ContainsFunc(ring, func(other key) bool { return other.hash == entry.hash }) {
			return nil, fmt.Errorf("httpapi: key %d: it is there twice", i+1)
		}
		entry.Secret, entry.Hash = "", ""
		ring = append(ring, entry)
	}
	return ring, nil
}

// find returns the key that a request has in its Authorization header.
func (ring keyring) find(r *http.Request) (*key, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, unauthorized("header Authorization: \"Bearer\" and an API key expected")
	}
	// All are compared, so that the time does not tell which one it was.
	hash := sha256.Sum256([]byte(secret))
	var found *key
	for i := range ring {
		if subtle.ConstantTimeCompare(hash[:], ring[i].hash[:]) == 1 {
			found = &ring[i]
		}
	}
	if found == nil {
		return nil, unauthorized("the API key is not known")
	}
	return found, nil
}

// maxKeyFile bounds a file of keys.
const maxKeyFile = 1 << 20

// ParseKeys reads a file of keys, one on each line:
//
//	# comment
//	sk_4ac1…
//	sk_77f0… name=reports read-only namespaces=shop,museum
//	sha256:9f86d081… name=ci
//
// First comes the secret, or "sha256:" and the hash of one; then, in any order and
// separated by white space, name=…, namespaces=… and read-only. A comma between them is
// an error, since the key would not be limited as intended. The error names the line.
func ParseKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	lines := bufio.NewScanner(io.LimitReader(r, maxKeyFile))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		k := Key{Secret: words[0]}
		if hash, ok := strings.CutPrefix(words[0], "sha256:"); ok {
			k.Secret, k.Hash = "", hash
		}
		for _, word := range words[1:] {
			name, v, _ := strings.Cut(word, "=")
			switch {
			case word == "read-only":
				k.ReadOnly = true
			case strings.Contains(v, "=") || slices.ContainsFunc(strings.Split(v, ","), func(part string) bool { return part == "read-only" || part == "" && v != "" }),
				name == "name" && strings.Contains(v, ","):
				// Taken for a name, what should limit the key would not.
				return nil, fmt.Errorf("httpapi: line %d: white space expected between name=…, namespaces=… and read-only, got %q", n, word)
			case name == "name" && v != "":
				k.Name = v
			case name == "namespaces" && v != "":
				k.Namespaces = strings.Split(v, ",")
			default:
				return nil, fmt.Errorf("httpapi: line %d: name=…, namespaces=… or read-only expected, got %q", n, word)
			}
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("httpapi: read keys: %w", err)
	}
	return keys, nil
}
