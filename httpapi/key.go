package httpapi

import (
	"bufio"
	"fmt"
	"io"
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
