package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// benchRecord makes the fields of object n: ten of them, about 400 bytes.
func benchRecord(n int) map[string]any {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	return map[string]any{
		"film_id": fmt.Sprintf("film-%09d", n), "title": fmt.Sprintf("Red sneaker number %d with a rather long title", n),
		"year": 1900 + r.IntN(120), "body": fmt.Sprintf("%x %x %x %x %x %x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()),
		"category": []string{"shoes", "shirts", "hats", "socks"}[r.IntN(4)], "price": float64(r.IntN(100000)) / 100,
		"active": r.IntN(2) == 0, "released": "2024-05-06", "updated": "2024-05-06T07:08:09Z",
		"publisher": "The Acme Publishing Company of Springfield",
	}
}

// BenchmarkServe puts objects over HTTP into the program, which serves a store in a
// process of its own, and beside it, in turns, with as many goroutines that call the
// library. There are 32 clients, each on a connection of its own and on the cores that
// the server has too. Both stores are durable to the last commit. Ratio is the speed
// of the first in terms of the second's: 0.5 means that it takes twice as long. p50-ms
// and p99-ms are what a request takes, errors the answers that were none of success.
func BenchmarkServe(b *testing.B) {
	const clients, rounds = 32, 10
	bucket := benchBucket(b)
	s := startProcess(b)

	// together has the clients do n things, each what is next.
	together := func(first, n int, do func(client, i int)) time.Duration {
		var next atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		for client := range clients {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
					do(client, first+int(i))
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}

	var err error
	bodies := make([][]byte, b.N)
	inputs := make([]bucketlite.ObjectInput, b.N)
	for i := range b.N {
		inputs[i].Fields = benchRecord(i)
		if bodies[i], err = json.Marshal(inputs[i].Fields); err != nil {
			b.Fatal(err)
		}
	}
	took := make([]time.Duration, b.N)
	var failed atomic.Int64
	post := make([]func(body []byte) (status int, err error), clients)
	for i := range post {
		post[i] = s.poster(b, "/v1/buckets/films/objects")
	}
	request := func(client, i int) {
		start := time.Now()
		status, err := post[client](bodies[i])
		if err != nil {
			b.Error(err)
		}
		if status != http.StatusOK {
			failed.Add(1)
		}
		took[i] = time.Since(start)
	}
	call := func(_, i int) {
		if _, err := bucket.Put(b.Context(), inputs[i], nil); err != nil {
			b.Error(err)
		}
	}

	var overHTTP, called time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for round := range rounds {
		first, end := b.N*round/rounds, b.N*(round+1)/rounds
		overHTTP += together(first, end-first, request)
		b.StopTimer()
		called += together(first, end-first, call)
		b.StartTimer()
	}
	b.StopTimer()
	if got := s.objects(b); got != int64(b.N)-failed.Load() {
		b.Errorf("got %d objects, want %d", got, int64(b.N)-failed.Load())
	}
	slices.Sort(took)
	ms := func(quantile float64) float64 {
		return float64(took[int(quantile*float64(b.N-1))].Microseconds()) / 1000
	}
	b.ReportMetric(float64(called)/float64(overHTTP), "ratio")
	b.ReportMetric(float64(b.N)/overHTTP.Seconds(), "requests/s")
	b.ReportMetric(float64(b.N)/called.Seconds(), "calls/s")
	b.ReportMetric(ms(.5), "p50-ms")
	b.ReportMetric(ms(.99), "p99-ms")
	b.ReportMetric(float64(failed.Load()), "errors")
}

// benchConfig is the bucket that is put into.
const benchConfig = `{"bucket_name": "films", "bucket_schema": {"properties": {
	"film_id": {"type": "string", "required": true}, "title": {"type": "string"}, "year": {"type": "integer"}}},
	"unique_key": {"fields": ["film_id"], "default_policy": "upsert"}}`

// benchBucket returns such a bucket in a store of this process.
func benchBucket(b *testing.B) *bucketlite.Bucket {
	b.Helper()
	st, err := bucketlite.Open(b.Context(), filepath.Join(b.TempDir(), "direct.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	var config bucketlite.BucketConfig
	if err := json.Unmarshal([]byte(benchConfig), &config); err != nil {
		b.Fatal(err)
	}
	ns, err := st.CreateNamespace(b.Context(), bucketlite.NamespaceConfig{Name: "test"})
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := ns.CreateBucket(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	return bucket
}

// A process is the program, serving a store of its own with such a bucket.
type process struct{ addr, key string }

// startProcess starts the program, and ends it with the benchmark.
func startProcess(b *testing.B) *process {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--json", "--db", filepath.Join(b.TempDir(), "served.db"), "--addr", "127.0.0.1:0", "--default-namespace", "test")
	cmd.Env = append(os.Environ(), "BUCKETLITE_TEST_RUN=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var greeting greeting
	if err := json.NewDecoder(out).Decode(&greeting); err != nil {
		b.Fatal(err)
	}
	p := &process{addr: strings.TrimPrefix(greeting.URL, "http://"), key: greeting.Key}
	if status, err := p.poster(b, "/v1/buckets")([]byte(benchConfig)); err != nil || status != http.StatusOK {
		b.Fatalf("create a bucket: got status %d, %v", status, err)
	}
	return p
}

// objects returns how many objects the bucket has.
func (p *process) objects(b *testing.B) int64 {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+p.addr+"/v1/buckets/films", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	var info bucketlite.Stats
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		b.Fatal(err)
	}
	return info.ObjectCount
}

// poster returns a client that posts over one connection. It does no more than it
// must, so that what is measured is the server.
func (p *process) poster(b *testing.B, path string) func(body []byte) (status int, err error) {
	b.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	header := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: ", path, p.addr, p.key)
	r := bufio.NewReader(conn)
	var buf []byte
	return func(body []byte) (int, error) {
		buf = append(strconv.AppendInt(append(buf[:0], header...), int64(len(body)), 10), "\r\n\r\n"...)
		if _, err := conn.Write(append(buf, body...)); err != nil {
			return 0, err
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
}
