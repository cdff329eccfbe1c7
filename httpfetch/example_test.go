package httpfetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpfetch"
)

func ExampleNew() {
	// A server on this machine stands for one in public. The fetcher does not reach
	// it without AllowPrivate.
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/markdown")
		io.WriteString(w, "Shot in May.")
	}))
	defer site.Close()
	fetcher, err := httpfetch.New(&httpfetch.Options{
		MaxBytes:     10 << 20,
		Ports:        []int{site.Listener.Addr().(*net.TCPAddr).Port},
		AllowPrivate: true,
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", &bucketlite.Options{Fetcher: fetcher})
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	if err != nil {
		log.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name:   "videos",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{"notes": {Type: bucketlite.Text}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	res, err := b.Put(ctx, bucketlite.ObjectInput{
		Blobs: []bucketlite.BlobInput{{Property: "notes", Data: site.URL + "/may/notes.md"}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	details := res.Object.Blobs[0].Details
	fmt.Println(details.Filename, details.MIMEType, details.Size)
	// Output: notes.md text/markdown 12
}

func ExampleFetcher_Fetch() {
	fetcher, err := httpfetch.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = fetcher.Fetch(context.Background(), "http://169.254.169.254/latest/meta-data/")
	fmt.Println(errors.Is(err, httpfetch.ErrRefused))
	fmt.Println(err)
	// Output:
	// true
	// httpfetch: refused: the address 169.254.169.254, which is link-local
}
