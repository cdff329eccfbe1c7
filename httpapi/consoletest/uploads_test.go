package consoletest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// Files are sent with the fields of their own records, which a list among them has. The
// report has the result of each.
func TestUploadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	list := "filename;title;price\n"
	var paths []string
	write := func(name string, text []byte) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for i := range 120 {
		name := fmt.Sprintf("new-%03d.png", i)
		write(name, picture.Bytes())
		list += fmt.Sprintf("%s;\"Picture; the \"\"%d\"\"\";%d.5\r\n", name, i, i)
	}
	write("wrong.png", []byte("%PDF-1.7 this is no picture"))
	write(".hidden", nil)
	write("list.csv", []byte(list))

	s := ownServer(t)
	p := open(t, s, "console/n/{studio}/b/{studio/products}/uploads", options{})
	p.allow("status: 422 ")
	p.must(p.tab.Upload("#upload-file", paths...))
	p.until(`document.getElementById("upload-send").textContent === "Upload 121 files"`)
	p.focused("button Upload 121 files")
	p.shot("uploads-chosen")
	p.wants("0 of 121 files", "metadata of 120 files, 120 of them here", "1 hidden file left out", "And 21 files more: 21 ready.")
	p.check()
	p.set(eval[string](p, `document.getElementsByName("f.title")[0].id`), "No title") // which the file without a record needs
	p.press("\r")
	p.wants("120 stored, 1 failed.")
	p.shot("uploads-report")
	p.wants("wrong.png: ", "121 of 121 files", "Download the report")
	p.check()
	if got := eval[int](p, `document.getElementById("transfer-rows").rows.length`); got != 100 {
		t.Errorf("got %d rows of files, want 100", got)
	}
	if got := eval[int](p, `document.querySelectorAll("#transfer-rows a[href*='/o/obj_']").length`); got != 99 {
		t.Errorf("got %d rows with links to objects, want 99", got)
	}
	ns, err := s.Store.Namespace(context.Background(), "studio")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(context.Background(), "products")
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.ObjectByKey(context.Background(), map[string]any{"sku": "new-007"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(o.Fields["title"], " ", o.Fields["price"]); got != `Picture; the "7" 7.5` {
		t.Errorf("got %s", got)
	}
}

// Files that are dropped on the page of objects bring the form there.
func TestDropOnObjects(t *testing.T) {
	t.Parallel()
	p := open(t, ownServer(t), "console/n/{studio}/b/{studio/films}/", options{})
	eval[bool](p, `(() => {
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(new File(["not a film"], "odd.woff2", { type: "font/woff2" }));
		document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
		return true;
	})()`)
	p.wants("0 of 1 file")
	p.focused("button Upload 1 file")
	p.check()
	p.shot("uploads-dropped")
	p.allow("status: 422 ")
	p.press("\r")
	p.wants("1 failed.")
	p.wants("odd.woff2: No field of the schema takes such a file")
	p.check()
}
