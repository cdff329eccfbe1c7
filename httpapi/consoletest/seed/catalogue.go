package seed

import (
	"context"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// products is a catalogue with pictures, indexes and objects of every status.
func (s *Seed) products(ctx context.Context, ns *bucketlite.Namespace) error {
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{
		Name: "products", Description: "What the shop sells, with its photos.",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku":         {Type: bucketlite.String, Required: true, Description: "The number on the label."},
			"title":       {Type: bucketlite.String, Required: true, Keywords: map[string]any{"minLength": 3}},
			"price":       {Type: bucketlite.Number, Keywords: map[string]any{"minimum": 0}},
			"category":    {Type: bucketlite.String, Enum: []any{"lamps", "chairs", "tables", "rugs", "shelves"}},
			"in_stock":    {Type: bucketlite.Boolean, Default: true},
			"units":       {Type: bucketlite.Integer},
			"tags":        {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
			"dimensions":  {Type: bucketlite.ObjectField, Properties: map[string]bucketlite.Field{"width": {Type: bucketlite.Number}, "height": {Type: bucketlite.Number}}},
			"released":    {Type: bucketlite.Date},
			"checked_at":  {Type: bucketlite.DateTime},
			"description": {Type: bucketlite.Text},
			"photo":       {Type: bucketlite.Image},
			"manual":      {Type: bucketlite.PDF},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
		Metadata:  map[string]any{"team": "catalogue", "reviewed": true},
		Indexes:   []string{"price"}, TextIndexes: []string{"title"},
	})
	if err != nil {
		return err
	}
	kinds := []string{"lamp", "chair", "table", "rug", "shelf"}
	categories := []string{"lamps", "chairs", "tables", "rugs", "shelves"}
	woods := []string{"oak", "walnut", "ash", "birch", "cherry", "pine"}
	for n := range 120 {
		kind := n % len(kinds)
		wood := woods[n*7%len(woods)]
		in := bucketlite.ObjectInput{ID: fmt.Sprintf("%s-%02d", kinds[kind], n/len(kinds)+1), Fields: map[string]any{
			"sku": fmt.Sprintf("%s-%04d", strings.ToUpper(kinds[kind][:2]), 1000+n), "title": fmt.Sprintf("%s %s no. %d", strings.ToUpper(wood[:1])+wood[1:], kinds[kind], n/len(kinds)+1),
			"price": float64(1900+n*n*37%40000) / 100, "category": categories[kind], "in_stock": n%4 != 0, "units": n * 13 % 90,
			"tags": []string{wood, "new", "outlet", "set"}[:1+n%4], "dimensions": map[string]any{"width": 20 + n, "height": 40.5},
			"released": fmt.Sprintf("2026-%02d-%02d", 1+n%11, 1+n%28),
		}}
		if n%3 == 0 {
			in.Fields["checked_at"] = "2026-11-20T08:30:00Z"
			in.Fields["description"] = strings.Repeat("Made by hand, oiled twice, and meant to be repaired. ", 1+n%4)
		}
		if n < 40 {
			in.Blobs = append(in.Blobs, bucketlite.BlobInput{Property: "photo", Reader: picture(n, 480, 320+80*(n%3)), Filename: in.ID + ".jpg"})
		}
		if n == 0 {
			in.Blobs = append(in.Blobs, s.file("manual", "page.pdf"))
		}
		if err := s.put(ctx, b, in); err != nil {
			return err
		}
	}
	return nil
}

// films is a bucket of media: several blobs an object, posters, sounds, transparency.
func (s *Seed) films(ctx context.Context, ns *bucketlite.Namespace) error {
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{
		Name: "films", Description: "Short films, sounds and stills.",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"title":     {Type: bucketlite.String},
			"video":     {Type: bucketlite.Video},
			"sound":     {Type: bucketlite.Audio},
			"poster":    {Type: bucketlite.Image},
			"stills":    {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Image}},
			"subtitles": {Type: bucketlite.Text},
		}},
	})
	if err != nil {
		return err
	}
	name := func(in bucketlite.BlobInput, filename string) bucketlite.BlobInput {
		in.Filename = filename
		return in
	}
	for _, in := range []bucketlite.ObjectInput{
		{ID: "clip", Fields: map[string]any{"title": "A clip with a poster"}, Blobs: []bucketlite.BlobInput{
			s.file("video", "clip.mp4"), {Property: "poster", Reader: picture(7, 640, 360), Filename: "poster.jpg"},
			{Property: "subtitles", Reader: strings.NewReader("1\n00:00:00,000 --> 00:00:01,000\nHello.\n"), Filename: "clip.srt"}}},
		{ID: "webm", Fields: map[string]any{"title": "A clip without a poster"}, Blobs: []bucketlite.BlobInput{s.file("video", "clip.webm")}},
		{ID: "tone", Fields: map[string]any{"title": "A tone"}, Blobs: []bucketlite.BlobInput{s.file("sound", "tone.mp3")}},
		{ID: "stills", Fields: map[string]any{"title": "Stills in every form"}, Blobs: []bucketlite.BlobInput{
			s.file("stills", "photo.jpg"), s.file("stills", "photo.png"), s.file("stills", "photo.webp"), s.file("stills", "anim.gif"),
			{Property: "stills", Reader: stamp(3), Filename: "stamp.png"}}},
		{ID: "elsewhere", Fields: map[string]any{"title": "Content that is elsewhere"}, Blobs: []bucketlite.BlobInput{
			{Property: "poster", Data: "https://pictures.example.com/poster.jpg"}}},
		{ID: "broken", Fields: map[string]any{"title": "A picture that ends early"}, Blobs: []bucketlite.BlobInput{
			name(bucketlite.BlobInput{Property: "poster", Reader: strings.NewReader("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")}, "broken.jpg")}},
	} {
		if err := s.put(ctx, b, in); err != nil {
			return err
		}
	}
	return nil
}

// documents is a bucket of files that are shown as text, tables or bytes, or not at all.
func (s *Seed) documents(ctx context.Context, ns *bucketlite.Namespace) error {
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{
		Name:   "documents",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"file": {Type: bucketlite.File}, "note": {Type: bucketlite.String}}},
	})
	if err != nil {
		return err
	}
	for id, content := range map[string]string{
		"text.txt": strings.Repeat("A line of plain text.\n", 40), "long.txt": strings.Repeat("abcdefghij ", 30_000),
		"table.csv": "sku;title;price\n" + strings.Repeat("LA-1000;Oak lamp;19.5\n", 300), "tabs.tsv": "a\tb\n1\t2\n",
		"nested.json": `{"a": [1, 2, {"b": null}], "c": "text", "d": 1e3}`, "page.html": "<!doctype html><title>x</title><script>alert(1)</script>",
		"drawing.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><script>alert(1)</script><circle cx="40" cy="40" r="30"/></svg>`,
		"bytes.bin":   "\x00\x01\x02\xfe\xff" + strings.Repeat("\x10 bytes", 100), "empty.txt": "",
		"latin1.txt": "caf\xe9 cr\xe8me\n", "utf16.txt": "\xff\xfeh\x00i\x00",
	} {
		s.IDs[Main+"/documents/"+id] = strings.ReplaceAll(id, ".", "-")
		if err := s.put(ctx, b, bucketlite.ObjectInput{ID: strings.ReplaceAll(id, ".", "-"), Fields: map[string]any{"note": id},
			Blobs: []bucketlite.BlobInput{{Property: "file", Reader: strings.NewReader(content), Filename: id}}}); err != nil {
			return err
		}
	}
	for _, name := range []string{"page.pdf", "sheet.xlsx"} {
		if err := s.put(ctx, b, bucketlite.ObjectInput{ID: strings.ReplaceAll(name, ".", "-"), Fields: map[string]any{"note": name},
			Blobs: []bucketlite.BlobInput{s.file("file", name)}}); err != nil {
			return err
		}
	}
	return nil
}
