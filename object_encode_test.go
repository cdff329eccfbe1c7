package bucketlite_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

// clip is a struct with members of each kind that InputOf treats in its own way.
type clip struct {
	ID      string                 `json:"object_id"`
	Prefix  string                 `json:"key_prefix"`
	Expires time.Time              `json:"x-expires-at,omitzero"`
	Title   string                 `json:"title"`
	Length  int                    `json:"length,omitempty"`
	Video   bucketlite.BlobInput   `json:"video" bucketlite:"type=video"`
	Stills  []bucketlite.BlobInput `json:"stills" bucketlite:"type=image"`
	Stored  bucketlite.Blob        `json:"poster" bucketlite:"type=image"`
}

func TestInputOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	const link = "https://example.com/v.mp4"
	tests := map[string]struct {
		value any
		want  bucketlite.ObjectInput
	}{
		"fields alone": {clip{Title: "t"}, bucketlite.ObjectInput{Fields: map[string]any{"title": "t"}}},
		"a pointer":    {&clip{Title: "t"}, bucketlite.ObjectInput{Fields: map[string]any{"title": "t"}}},
		"system members": {clip{ID: "c1", Prefix: "p", Expires: at, Title: "t"},
			bucketlite.ObjectInput{ID: "c1", KeyPrefix: "p", ExpiresAt: at, Fields: map[string]any{"title": "t"}}},
		"a blob": {clip{Title: "t", Video: bucketlite.BlobInput{Data: link}},
			bucketlite.ObjectInput{Fields: map[string]any{"title": "t"}, Blobs: []bucketlite.BlobInput{{Property: "video", Data: link}}}},
		"blobs of a list": {clip{Title: "t", Stills: []bucketlite.BlobInput{{Data: link}, {Data: link, Property: "stills"}}},
			bucketlite.ObjectInput{Fields: map[string]any{"title": "t"}, Blobs: []bucketlite.BlobInput{{Property: "stills", Data: link}, {Property: "stills", Data: link}}}},
		"a stored blob": {clip{Title: "t", Stored: bucketlite.Blob{ID: "blob_1"}}, bucketlite.ObjectInput{Fields: map[string]any{"title": "t"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := bucketlite.InputOf(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInputOfRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		value any
		says  string
	}{
		"nil":                      {nil, "a struct or a pointer to one expected, got nil"},
		"a map":                    {map[string]any{}, "got map[string]interface {}"},
		"a nil pointer":            {(*clip)(nil), "got *bucketlite_test.clip"},
		"a blob of another member": {clip{Video: bucketlite.BlobInput{Property: "stills"}}, `video: a blob of "video" expected, got one of "stills"`},
		"a blob of another member, in a list": {clip{Stills: []bucketlite.BlobInput{{}, {Property: "video"}}},
			`stills[1]: a blob of "stills" expected, got one of "video"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := bucketlite.InputOf(tt.value)
			if !errors.Is(err, bucketlite.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want one that says %q", err, tt.says)
			}
		})
	}
}
