package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// tell runs the command and returns what it printed.
func tell(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, io.Discard)
	return out.String(), err
}

// want checks that patterns are found in out, in this order.
func want(t *testing.T, out string, patterns ...string) {
	t.Helper()
	rest := out
	for _, p := range patterns {
		at := regexp.MustCompile(p).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("%q is missing, or out of order, in:\n%s", p, out)
		}
		rest = rest[at[1]:]
	}
}

func TestQuickstart(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // where os.TempDir looks on Unix,
	t.Setenv("TMP", temp)    // and on Windows

	out, err := tell(t)
	if err != nil {
		t.Fatalf("quickstart: %v\n%s", err, out)
	}
	n := bytes.Count(file("items.jsonl"), []byte("\n"))
	want(t, out,
		`1\. A namespace`, `namespace +gallery +ns_`, `bucket +media +bkt_`, `declares 18 fields, 7 of them required`,
		`2\. The items go in`,
		fmt.Sprintf(`first +%d +%d +0 +0 +%d\n`, n, n, n),
		fmt.Sprintf(`second +%d +0 +%d +0 +%d\n`, n, n, n),
		`3\. Files`, `image/jpeg +23,220\n`, `audio/mpeg +16,527\n`, `video/mp4 +26,526\n`, `text/csv +27\n`,
		`112,740 bytes, kept as 66,300`, `the same 23,220 bytes`,
		`4\. A clip is uploaded`, `announce it as sound\n`, `refused: 1 reason\n`, `content_type +mime `, `upl_\w+ is PENDING`, `send 26,526 bytes`, `COMPLETED; the item has 2 files`,
		`the watch saw: object.updated\n`,
		`5\. A batch`, `submit 3 items: task_\w+ is PENDING`, `146929312 +FAILED +the item has no clip`, `5823428726001 +COMPLETED`, `5147566594001 +COMPLETED`,
		`The task is COMPLETED_WITH_ERRORS, with 3 of 3`,
		`6\. Input that breaks`, `refused: 9 reasons`, `blobs\[0\] +mime `, `duration +type `, `keywords\[1\] +type `, `language +pattern `,
		`lastmodified +required `, `mediatype +enum `, `photo +type .*blob`, `releasedate +pattern `, `title +minLength `,
		`7\. The gallery's dates`, `refused: 1 reason\n`, `releasedate +type +datetime as in RFC 3339 expected, got "\d{4}-`, fmt.Sprintf(`stored: %d\n`, n),
		`8\. A taken key`, `refused: .* is taken by object "obj_`, `existing id: obj_`,
		`9\. Items are found`, `7389 +Dutch Society`, `first 3 of 17\n`, `examines all 202 objects, and sorts them`, `looks up 41 objects by the value index of duration`,
		`search "lecture rembrandt": 1 item\n`, `refused: 2 reasons\n`, `filters.value +pattern `, `sort\[0\].direction +enum `,
		`10\. Items are counted`, `audio +0-600 +49 `, `video +longer, or not known +5 `,
		`11\. A bucket`, `lock +put refused: .* is locked`, `unlock +put stored`, `archive +put refused: .* is ARCHIVED`, `activate +put stored`,
		`12\. Statistics`, fmt.Sprintf(`objects in media +%d\n`, n), `bytes of blobs in the store +66,300\n`,
		`13\. One object`, `"hash": "[0-9a-f]{64}"`, `"mediaid": "5147566594001"`, `"object_id": "obj_`,
		`14\. A bucket is deleted`, `accepted as task_\w+, PENDING`, fmt.Sprintf(`COMPLETED, %d of %d objects`, n, n),
		`removed now`,
	)
	if os.TempDir() == temp {
		if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// generate writes n valid lines, and among them four that are not.
func generate(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		switch i {
		case 0:
			b.WriteString("{\"mediaid\": \"cut short\n")
		case 1:
			b.WriteString("\n  \r\n") // blank lines are none
		case 1000:
			b.WriteString(`{"mediaid": "x", "mediatype": "film"}` + "\n")
		case 1001:
			b.WriteString(`{"mediaid": "x", "mediaid": "y"}` + "\n[]\n")
		}
		fmt.Fprintf(&b, `{"mediaid": "m%d", "mediatype": "audio", "title": "T", "language": "en", "playurl": "https://example.com/%d", "duration": %d,`+
			` "releasedate": "2014-01-01 00:00:00-05", "lastmodified": "2014-06-23 17:14:04-04"}`+"\n", i, i, i)
	}
	name := filepath.Join(t.TempDir(), "generated.jsonl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestQuickstartData(t *testing.T) {
	const n = 2500
	data, db := generate(t, n), filepath.Join(t.TempDir(), "kept.db")

	out, err := tell(t, "-data", data, "-db", db)
	if err == nil || err.Error() != "4 of 2,504 lines refused" {
		t.Errorf("error %v, want 4 lines refused", err)
	}
	want(t, out, `\nline 1: .*cut short`, `\nline 1004: .*title: required`, `\nline 1006: mediaid: .*repeated`, `\nline 1007: object expected`)
	table := strings.SplitAfter(out, "objects now\n")[1]
	want(t, table, `generated.jsonl +2,504 +2,500 +0 +4 +2,500\n`)

	out, _ = tell(t, "-data", data, "-db", db)
	want(t, out, `generated.jsonl +2,504 +0 +2,500 +4 +2,500\n`)

	// The program runs on a store that is not empty, any number of times.
	sample := bytes.Count(file("items.jsonl"), []byte("\n"))
	for range 2 {
		if out, err = tell(t, "-db", db); err != nil {
			t.Fatalf("quickstart -db: %v\n%s", err, out)
		}
		want(t, out, `objects in media +2,702\n`, `COMPLETED`, `The store stays in `)
	}

	st, err := bucketlite.Open(t.Context(), db, &bucketlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ns, err := st.Namespace(t.Context(), "gallery")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(t.Context(), "media")
	if err != nil {
		t.Fatal(err)
	}
	stats, err := b.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(n + sample); stats.ObjectCount != want {
		t.Errorf("%d objects, want %d", stats.ObjectCount, want)
	}
}

func TestQuickstartLocked(t *testing.T) {
	data, db := generate(t, 2), filepath.Join(t.TempDir(), "locked.db")
	if _, err := tell(t, "-db", db); err != nil {
		t.Fatal(err)
	}
	lock(t, db)
	_, err := tell(t, "-data", data, "-db", db)
	if !errors.Is(err, bucketlite.ErrLocked) || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("load into a locked bucket: error %v, want that of line 2", err)
	}
}

func lock(t *testing.T, db string) {
	t.Helper()
	st, err := bucketlite.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ns, err := st.Namespace(t.Context(), "gallery")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(t.Context(), "media")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestQuickstartMisuse(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "file")
	for _, args := range [][]string{{"-x"}, {"data"}, {"-data", missing}, {"-db", missing}} {
		if out, err := tell(t, args...); err == nil {
			t.Errorf("%q: no error, but\n%s", args, out)
		}
	}
	out, err := tell(t, "-h")
	if err != nil {
		t.Errorf("-h: %v", err)
	}
	want(t, out, `-db FILE`, `-data FILE`)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, nil, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v, want %v", err, context.Canceled)
	}
}

func TestQuickstartCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", -1: "-1", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}
