package jsonb_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The benchmarks compare with the same on JSON text, which is what objects'
// fields would otherwise be stored as.

// record are the fields of a typical object: ten of them, about 400 bytes.
func record() map[string]any {
	return map[string]any{
		"sku":       "sku-000012345",
		"title":     "Red sneaker number 12345 with a rather long title",
		"body":      "9f6b2c7d1a3e5f80 4c2a6e8b0d1f3a57 77aa01bc23de45f6 8091a2b3c4d5e6f7 1122334455667788 99aabbccddeeff00",
		"category":  "shoes",
		"price":     481.75,
		"stock":     317,
		"active":    true,
		"released":  "2024-05-06",
		"updated":   "2024-05-06T07:08:09Z",
		"publisher": "The Acme Publishing Company of Springfield",
	}
}

func BenchmarkAppend(b *testing.B) {
	v := record()
	buf := make([]byte, 0, 512)
	b.Run("jsonb", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			jsonb.Append(buf, v)
		}
	})
	b.Run("text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			value.Append(buf, v)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	stored, _ := jsonb.Append(nil, record())
	text := string(value.Append(nil, record()))
	b.Run("jsonb", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m, err := jsonb.Parse(stored); err != nil || len(m) != 10 {
				b.Fatal(m, err)
			}
		}
	})
	b.Run("text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m, err := value.ParseTrusted(text); err != nil || len(m) != 10 {
				b.Fatal(m, err)
			}
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	v := record()
	b.ReportAllocs()
	for b.Loop() {
		if m := jsonb.Copy(v); len(m) != 10 {
			b.Fatal(m)
		}
	}
}

func BenchmarkMember(b *testing.B) {
	stored, _ := jsonb.Append(nil, record())
	for _, name := range []string{"active", "stock", "updated", "none"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := jsonb.Member(stored, name); err != nil || ok == (name == "none") {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkStrings(b *testing.B) {
	stored, _ := jsonb.Append(nil, record())
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n = 0
		if err := jsonb.Strings(stored, func(string) bool { n++; return true }); err != nil || n != 7 {
			b.Fatal(n, err)
		}
	}
}
