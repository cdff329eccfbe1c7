package httpapi

import (
	"io"
	"net/http"
	"time"
)

// A client that is still sending when the answer comes often reads it only when it has
// sent everything. If the connection is closed before, its kernel drops the answer that
// has arrived, and the client sees a broken pipe. So the rest of a body is read and
// dropped: a small rest before the answer, since then the connection can be kept, and
// a large or unknown one after it. Both have bounds.
const (
	// drainAhead is the most that is read before the answer. It is what net/http would
	// read, which it does without a deadline of its own.
	drainAhead = 256 << 10
	// drainBytes and drainTime are the most that is read after the answer, and for how
	// long. Within that time the client must send drainPiece in each drainPause.
	drainBytes = 16 << 20
	drainTime  = 10 * time.Second
	drainPiece = 64 << 10
	drainPause = time.Second
)

// A requestBody is the body of a request. It notes how much of it was read.
type requestBody struct {
	io.ReadCloser
	length  int64 // the announced length; negative if there is none
	expects bool  // the client waits for "100 Continue" before it sends
	read    int64
	ended   bool // it has been read to its end
	failed  bool // the client is gone, or was not waited for any longer
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	b.ended = b.ended || err == io.EOF || b.read == b.length
	b.failed = b.failed || err != nil && err != io.EOF
	return n, err
}

// settle is called before the header is written. If there is more of the body than can
// be read first, it announces that the connection will be closed. A body that has not
// been asked for with "100 Continue" is not read: that would ask for it.
func (a *answer) settle() {
	b := a.body
	if b == nil || b.ended || a.proto != 1 {
		return
	}
	waiting := b.expects && b.read == 0
	if !waiting && !b.failed && b.length >= 0 && b.length-b.read <= drainAhead {
		a.drain(drainAhead)
		if b.ended {
			// With a deadline, the server's watch for the client's leaving would end
			// the request.
			_ = http.NewResponseController(a).SetReadDeadline(time.Time{})
			return
		}
	}
	a.Header().Set("Connection", "close")
	a.lingers = true
}

// linger is called after the answer. It reads the rest of the client's body, until the body
// ends, or the client closes the connection because it has read the answer.
func (a *answer) linger() {
	if a.lingers && !a.body.failed && http.NewResponseController(a).Flush() == nil {
		a.drain(drainBytes)
	}
}

// drain reads and drops at most so many bytes of the body.
func (a *answer) drain(most int64) {
	deadlines := http.NewResponseController(a)
	end := time.Now().Add(a.drainTime)
	for n := int64(0); n < most && !a.body.ended; n += drainPiece {
		pause := time.Now().Add(min(drainPause, time.Until(end)))
		if deadlines.SetReadDeadline(pause) != nil { // as in a test: it might wait forever
			return
		}
		if _, err := io.CopyN(io.Discard, a.body, drainPiece); err != nil {
			return
		}
	}
}
