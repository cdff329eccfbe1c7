package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Feature extractors and payload indexes that do not conform to the hosted service's
// models are refused: its clients could not read them back.
func TestNamespaceRecorded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	for name, tt := range map[string]struct {
		extractors, indexes string
		want                []string // the paths of faults
	}{
		"none":                {`null`, `null`, nil},
		"empty":               {`[]`, `[]`, nil},
		"an extractor":        {`[{"feature_extractor_name": "clip", "version": "v1", "params": {"a": null}, "more": 5}]`, `null`, nil},
		"null params":         {`[{"feature_extractor_name": "clip", "version": "v1", "params": null}]`, `null`, nil},
		"no extractor":        {`[null, "clip", {}]`, `null`, []string{"feature_extractors[0]", "feature_extractors[1]", "feature_extractors[2].feature_extractor_name", "feature_extractors[2].version"}},
		"types of extractors": {`[{"feature_extractor_name": 5, "version": null, "params": []}]`, `null`, []string{"feature_extractors[0].feature_extractor_name", "feature_extractors[0].params", "feature_extractors[0].version"}},
		"an index":            {`null`, `[{"field_name": "a", "type": "text", "field_schema": {"type": "text", "lowercase": true}, "is_protected": false, "more": [1]}]`, nil},
		"null members":        {`null`, `[{"field_name": "a", "type": "geo", "field_schema": null, "is_protected": null}]`, nil},
		"each type": {`null`, `[{"field_name": "a", "type": "keyword"}, {"field_name": "a", "type": "integer"}, {"field_name": "a", "type": "float"}, {"field_name": "a", "type": "bool"},
			{"field_name": "a", "type": "geo"}, {"field_name": "a", "type": "datetime"}, {"field_name": "a", "type": "text"}, {"field_name": "a", "type": "uuid"}]`, nil},
		"no index":           {`null`, `[5, {}]`, []string{"payload_indexes[0]", "payload_indexes[1].field_name", "payload_indexes[1].type"}},
		"unknown types":      {`null`, `[{"field_name": "a", "type": "string"}, {"field_name": "a", "type": "TEXT"}]`, []string{"payload_indexes[0].type", "payload_indexes[1].type"}},
		"an empty name":      {`null`, `[{"field_name": "", "type": "text"}]`, []string{"payload_indexes[0].field_name"}},
		"a long name":        {`null`, `[{"field_name": "` + strings.Repeat("é", 255) + `", "type": "text"}, {"field_name": "` + strings.Repeat("é", 256) + `", "type": "text"}]`, []string{"payload_indexes[1].field_name"}},
		"types of members":   {`null`, `[{"field_name": true, "type": [], "field_schema": "text", "is_protected": "yes"}]`, []string{"payload_indexes[0].field_name", "payload_indexes[0].field_schema", "payload_indexes[0].is_protected", "payload_indexes[0].type"}},
		"the type of a type": {`null`, `[{"field_name": "a", "type": "text", "field_schema": {"type": 5}}, {"field_name": "a", "type": "text", "field_schema": {}}]`, []string{"payload_indexes[0].field_schema.type"}},
		"both":               {`[5]`, `[5]`, []string{"feature_extractors[0]", "payload_indexes[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := bucketlite.NamespaceConfig{Name: name}
			storetest.Must(t, json.Unmarshal([]byte(tt.extractors), &config.FeatureExtractors))
			storetest.Must(t, json.Unmarshal([]byte(tt.indexes), &config.PayloadIndexes))
			_, err := st.CreateNamespace(ctx, config)
			for of, err := range map[string]error{"create": err, "validate": bucketlite.ValidateNamespace(config)} {
				if tt.want == nil {
					storetest.Must(t, err)
				} else {
					t.Log(of)
					wantIssuePaths(t, err, tt.want...)
				}
			}
			_, err = ns.Update(ctx, bucketlite.NamespaceUpdate{PayloadIndexes: config.PayloadIndexes})
			if refused := strings.Contains(strings.Join(tt.want, " "), "payload_indexes"); refused != errors.Is(err, bucketlite.ErrInvalid) || !refused && err != nil {
				t.Errorf("update: got %v, want ErrInvalid: %t", err, refused)
			}
		})
	}
}

// A null that the hosted service's form excludes is absent in what is stored, and the
// caller's maps do not change.
func TestNamespaceRecordedNulls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	index := map[string]any{"field_name": "a", "type": "text", "is_protected": nil, "field_schema": map[string]any{"type": nil, "lowercase": true}, "other": nil}
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "a", PayloadIndexes: []any{index}})
	storetest.Must(t, err)
	info, err := ns.Info(ctx)
	storetest.Must(t, err)
	got, err := json.Marshal(info.PayloadIndexes)
	storetest.Must(t, err)
	if want := `[{"field_name":"a","field_schema":{"lowercase":true},"other":null,"type":"text"}]`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(index) != 5 || len(index["field_schema"].(map[string]any)) != 2 {
		t.Errorf("the caller's map has become %v", index)
	}
}
