package bucketlite_test

import (
	"encoding/json"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// oldSchema is accepted by no new bucket: it has assertions without effect and a misspelt
// keyword. Its values are checked by the first rules.
const oldSchema = `{"properties":{"k":{"type":"string","required":true},"v":{"type":"string","minlenght":100},"doc":{"type":"text"},
	"mail":{"type":"string","format":"email","oneOf":[]},"link":{"type":"string","format":"uri-template","default":"<a>"},
	"host":{"type":"string","format":"idn-hostname"}},"required":["k"],"if":{}}`

// A bucket of a file that was made before schemas had versions of their rules works as
// before, also with a schema that a new bucket could not have.
func TestSchemaOfFirstRules(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := storetest.CopyFile(t, "testdata/formats/6.db")
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE buckets SET schema = '"+oldSchema+"' WHERE name = 'items'")
	for range 2 {
		st := storetest.OpenPath(t, path)
		ns := storetest.Namespace(t, st)
		b, err := ns.Bucket(ctx, "items")
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, b, storetest.Input(t, `{"k":"1","mail":"x","link":"{/var}"}`), map[string]string{"mail": "format", "link": "format"})
		res := storetest.Put(t, b, storetest.Input(t, `{"k":"1","v":"short","mail":" a@example.com","host":"-"}`), bucketlite.Upsert)
		storetest.WantFields(t, res, `{"k":"1","v":"short","mail":" a@example.com","host":"-","link":"<a>"}`)

		info, err := b.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(info)
		if err != nil {
			t.Fatal(err)
		}
		var again bucketlite.BucketInfo
		if err := json.Unmarshal(text, &again); err != nil {
			t.Errorf("unmarshal the bucket's info: %v", err)
		}
		if _, err := b.Update(ctx, bucketlite.BucketUpdate{Schema: &again.Schema}); err != nil {
			t.Errorf("update with the bucket's own schema: %v", err)
		}
		if c, err := b.ChangeSchema(ctx, again.Schema, nil); err != nil || c.Effect != bucketlite.EffectNone {
			t.Errorf("change to the bucket's own schema: got %v, %v, want no change", c, err)
		}
		if c, err := info.CompareSchema(again.Schema, nil); err != nil || c.Effect != bucketlite.EffectNone {
			t.Errorf("compare with the bucket's own schema: got %v, %v, want no change", c, err)
		}
		again.Schema.AdditionalProperties = new(true)
		_, err = b.ChangeSchema(ctx, again.Schema, nil)
		storetest.WantError(t, err, bucketlite.ErrInvalid)
		_, err = ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "new", Schema: info.Schema})
		storetest.WantIssues(t, err, map[string]string{
			"bucket_schema.properties.v.minlenght": "spelling", "bucket_schema.properties.mail.oneOf": "keyword",
			"bucket_schema.properties.link.default": "format", "bucket_schema.required": "keyword", "bucket_schema.if": "keyword",
		})
		storetest.WantNoProblem(t, st)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A new bucket follows the latest rules, also after the file is opened again.
func TestSchemaOfLatestRules(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/6.db")
	st := storetest.OpenPath(t, path)
	s := storetest.Schema(t, `"mail":{"type":"string","format":"email"},"link":{"type":"string","format":"uri-template"}`)
	if _, err := storetest.Namespace(t, st).CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "new", Schema: s}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b, err := storetest.Namespace(t, st).Bucket(t.Context(), "new")
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, b, storetest.Input(t, `{"mail":" a@example.com","link":"<a>"}`), map[string]string{"mail": "format", "link": "format"})
		storetest.Put(t, b, storetest.Input(t, `{"mail":"a@example.com","link":"/items{?page,limit}"}`), "")
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		st = storetest.OpenPath(t, path)
	}
	storetest.WantNoProblem(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}

	// A file in which a later release has written is not read by rules it does not have.
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE buckets SET rules = 99 WHERE name = 'new'")
	_, err := storetest.Namespace(t, storetest.OpenPath(t, path)).Bucket(t.Context(), "new")
	storetest.WantError(t, err, bucketlite.ErrCorrupt)
}
