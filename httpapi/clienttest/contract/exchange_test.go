package contract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

var exchangesFile = flag.String("exchanges", "", "a `file` of exchanges; without it the tests of package httpapi make one")

// exchangesVariable has the tests of package httpapi record their exchanges.
const exchangesVariable = "BUCKETLITE_EXCHANGES"

// exchange is a request and its answer, as the tests of package httpapi record them.
type exchange struct {
	Test         string      `json:"test"`
	Method       string      `json:"method"`
	URL          string      `json:"url"`
	Header       http.Header `json:"header"`
	Length       int64       `json:"length"`
	Body         []byte      `json:"body"` // only JSON
	Status       int         `json:"status"`
	AnswerHeader http.Header `json:"answer_header"`
	Answer       []byte      `json:"answer"`   // only JSON
	Tolerant     bool        `json:"tolerant"` // the request need not be of the document's form
}

// messages returns the request and the answer.
func (e exchange) messages() (*http.Request, *http.Response, error) {
	req, err := http.NewRequest(e.Method, e.URL, bytes.NewReader(e.Body))
	if err != nil {
		return nil, nil, err
	}
	req.Header, req.ContentLength = e.Header, e.Length
	return req, &http.Response{StatusCode: e.Status, Header: e.AnswerHeader, Body: io.NopCloser(bytes.NewReader(e.Answer)), Request: req}, nil
}

// Every exchange of the tests of package httpapi is of the form of the handler's document,
// and of that of the flag -contract, and every operation succeeds in one of them.
func TestExchanges(t *testing.T) {
	t.Parallel()
	path := *exchangesFile
	if path == "" {
		path = record(t)
	}
	contracts := []*contract{ourContract(t)}
	if c, err := theirs(); err != nil {
		t.Fatal(err)
	} else if c != nil {
		contracts = append(contracts, c)
	}
	checked, taken := validate(t, path, contracts)
	if checked < 3000 {
		t.Errorf("%s has %d exchanges, want 3000 or more", path, checked)
	}
	ourContract(t).operations(func(_, _ string, _ *v3.PathItem, op *v3.Operation) {
		if !taken[op.OperationId] {
			t.Errorf("operation %s succeeds in no test", op.OperationId)
		}
	})
}

// record runs the tests of package httpapi and returns the file of their exchanges.
func record(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exchanges.jsonl")
	run := exec.CommandContext(t.Context(), "go", "test", "-count=1", ".")
	run.Dir = "../.."
	run.Env = append(os.Environ(), exchangesVariable+"="+path)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("tests of package httpapi: %v\n%s", err, out)
	}
	return path
}

// validate reports every fault of the exchanges in a file. It returns how many there
// are, and the operations of the first contract that succeeded.
func validate(t *testing.T, path string, contracts []*contract) (checked int, taken map[string]bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	taken = map[string]bool{}
	var mu sync.Mutex
	var workers sync.WaitGroup
	exchanges := make(chan exchange)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for e := range exchanges {
				for i, c := range contracts {
					faults, op := c.faults(e)
					for _, fault := range faults {
						t.Errorf("%s: %s %s: status %d: %s: %s", e.Test, e.Method, e.URL, e.Status, c.name, fault)
					}
					if i == 0 && op != "" {
						mu.Lock()
						taken[op] = true
						mu.Unlock()
					}
				}
			}
		})
	}
	d := json.NewDecoder(bufio.NewReader(f))
	d.DisallowUnknownFields()
	for {
		var e exchange
		if err = d.Decode(&e); err != nil {
			break
		}
		checked++
		exchanges <- e
	}
	close(exchanges)
	workers.Wait()
	if !errors.Is(err, io.EOF) {
		t.Errorf("%s: after %d exchanges: %v", path, checked, err)
	}
	return checked, taken
}
