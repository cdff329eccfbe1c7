package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// An answer is the response to the client, and its entry in the log.
type answer struct {
	http.ResponseWriter
	id    string // the request's
	began time.Time
	route string // the pattern of the route that was taken
	key   string // the name of the key
	slash bool   // the path ended in a slash

	// hold is asked before a large answer is sent, for as many bytes.
	hold func(bytes int) (leave func(), err error)

	status int   // 0 before the header is written
	bytes  int64 // written of the body
	err    error // why it is an error

	proto     int           // the major version of HTTP
	body      *requestBody  // nil if there is none
	lingers   bool          // more of the body may come after the answer
	drainTime time.Duration // for how long it is read then
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // before that it is not the last
		a.status = status
		a.settle()
	}
	a.ResponseWriter.WriteHeader(status)
}

// received returns how much was read of the request's body.
func (a *answer) received() int64 {
	if a.body == nil {
		return 0
	}
	return a.body.read
}

// Write notes how much is written.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// write answers with body as JSON, or without one if it is nil. An error means that
// nothing has been written; failures of the connection are not reported.
func (a *answer) write(status int, body any) error {
	a.Header().Set("Cache-Control", "no-store")
	if body == nil {
		a.WriteHeader(http.StatusNoContent)
		return nil
	}
	if s, ok := body.(streamed); ok {
		return a.stream(status, s)
	}
	text, err := encode(body)
	if err != nil {
		return err
	}
	leave, err := a.holds(len(text))
	if err != nil {
		return err
	}
	defer leave()
	a.Header().Set("Content-Type", "application/json")
	a.Header().Set("Content-Length", strconv.Itoa(len(text)))
	a.WriteHeader(status)
	a.Write(text) // if it fails the client is gone
	return nil
}

// holds counts an answer in that is large: it is in memory for as long as the client
// takes to read it, and others may be as slow.
func (a *answer) holds(bytes int) (leave func(), err error) {
	if bytes <= wholeBody || a.hold == nil {
		return func() {}, nil
	}
	return a.hold(bytes)
}

// encode returns body as a line of JSON.
func encode(body any) ([]byte, error) {
	body = hostedAnswer(body)
	if o, ok := body.(hostedObject); ok {
		// The encoder would read its text over again, and copy it.
		text, err := o.MarshalJSON()
		return append(text, '\n'), err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(body)
	return b.Bytes(), err
}
