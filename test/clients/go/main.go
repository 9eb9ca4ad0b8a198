// SPDX-License-Identifier: Apache-2.0

// Go as a client: net/http with its own connection pool, traces, trailers and upgrades. Standard library only.
//
//	go run main.go BASE [CA-FILE]
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	base   string
	client *http.Client
)

type echo struct {
	Method, URL, Version, Sha256 string
	Bytes                        int
	Headers                      map[string]any
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func some(n int) []byte {
	data := make([]byte, n)
	if _, err := rand.Read(data); err != nil {
		panic(err)
	}
	return data
}

func same(got, want any, what string) error {
	if got != want {
		return fmt.Errorf("%s is %v, not %v", what, got, want)
	}
	return nil
}

// ask makes one exchange and reads the answer to its end.
func ask(ctx context.Context, method, path string, body io.Reader, fields ...string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return nil, nil, err
	}
	for i := 0; i+1 < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res, data, err
}

func asked(method, path string, body io.Reader, fields ...string) (e echo, err error) {
	_, data, err := ask(context.Background(), method, path, body, fields...)
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	return e, err
}

func whole(path string, length int) error {
	res, data, err := ask(context.Background(), "GET", path, nil)
	if err != nil {
		return err
	}
	if err := same(len(data), length, "the length"); err != nil {
		return err
	}
	return same(sum(data), res.Header.Get("X-Sha256"), "the sum")
}

func methods() error {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		e, err := asked(method, "/echo?m", nil, "X-Custom", "kept")
		if err != nil {
			return err
		}
		if err := same(fmt.Sprint(e.Method, e.URL, e.Headers["x-custom"]), method+"/echo?mkept", "the request"); err != nil {
			return err
		}
	}
	return nil
}

func keepAlive() error {
	reused := 0
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if i.Reused {
			reused++
		}
	}}
	client.CloseIdleConnections()
	for i := 0; i < 20; i++ {
		if _, _, err := ask(httptrace.WithClientTrace(context.Background(), trace), "GET", "/echo", nil); err != nil {
			return err
		}
	}
	if reused < 15 { // of 19; its writer may be late, and then net/http itself gives a connection up (maxWriteWaitBeforeConnReuse)
		return fmt.Errorf("only %d connections were reused", reused)
	}
	return nil
}

func head() error {
	res, data, err := ask(context.Background(), "HEAD", "/big?n=12345", nil)
	if err != nil {
		return err
	}
	return same(fmt.Sprint(res.ContentLength, len(data)), "12345 0", "the answer")
}

func noBody() error {
	res, data, err := ask(context.Background(), "GET", "/204", nil)
	if err != nil {
		return err
	}
	if err := same(fmt.Sprint(res.StatusCode, len(data)), "204 0", "the answer"); err != nil {
		return err
	}
	res, data, err = ask(context.Background(), "GET", "/304", nil, "If-None-Match", `"v1"`)
	if err != nil {
		return err
	}
	return same(fmt.Sprint(res.StatusCode, len(data), res.Header.Get("ETag")), `304 0"v1"`, "the answer")
}

func upload() error {
	body := some(1 << 20)
	e, err := asked("POST", "/upload", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return same(e.Sha256, sum(body), "the sum")
}

func uploadExpect() error {
	body, told := some(1<<20), false
	trace := &httptrace.ClientTrace{Got100Continue: func() { told = true }}
	_, data, err := ask(httptrace.WithClientTrace(context.Background(), trace), "POST", "/upload", bytes.NewReader(body),
		"Expect", "100-continue")
	if err != nil {
		return err
	}
	var e echo
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	if err := same(told, true, "that 100 came"); err != nil {
		return err
	}
	return same(e.Sha256, sum(body), "the sum")
}

func uploadChunked() error {
	var all []byte
	out, in := io.Pipe()
	go func() {
		for i := 0; i < 50; i++ {
			part := some(1 + i*997)
			all = append(all, part...)
			if _, err := in.Write(part); err != nil {
				return
			}
		}
		in.Close()
	}()
	e, err := asked("POST", "/upload", out)
	if err != nil {
		return err
	}
	return same(e.Sha256, sum(all), "the sum")
}

func gzip() error {
	res, data, err := ask(context.Background(), "GET", "/gzip", nil) // net/http asks for gzip and unpacks it by itself
	if err != nil {
		return err
	}
	if err := same(res.Uncompressed, true, "that it was packed"); err != nil {
		return err
	}
	return same(string(data), strings.Repeat("evenkeel ", 1000), "the text")
}

func cookies() error {
	jar, _ := cookiejar.New(nil)
	with := &http.Client{Transport: client.Transport, Jar: jar, Timeout: client.Timeout}
	for i := 0; ; i++ {
		res, err := with.Get(base + "/cookie")
		if err != nil {
			return err
		}
		data, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
		if err := same(len(res.Header.Values("Set-Cookie")), 2, "the number of Set-Cookie"); err != nil {
			return err
		}
		if i == 1 {
			return same(string(data), `{"cookie":"a=1; b=2"}`, "the answer")
		}
	}
}

func redirect() error {
	e, err := asked("GET", "/redirect?absolute", nil)
	if err != nil {
		return err
	}
	if err := same(e.URL, "/echo?redirected", "the path"); err != nil {
		return err
	}
	e, err = asked("POST", "/redirect?code=307", strings.NewReader("kept"))
	if err != nil {
		return err
	}
	return same(fmt.Sprint(e.Method, e.Bytes), "POST4", "the request")
}

func slow() error {
	begun := time.Now()
	_, data, err := ask(context.Background(), "GET", "/slow?ms=2000", nil)
	if err != nil {
		return err
	}
	if time.Since(begun) < 1900*time.Millisecond {
		return errors.New("it was too fast")
	}
	return same(string(data), `{"slow":true}`, "the answer")
}

func cancelThenGoOn() error {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := ask(ctx, "GET", "/slow?ms=5000", nil); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the ending was %v", err)
	}
	return methods()
}

func concurrent() error {
	var wait sync.WaitGroup
	failures := make(chan error, 50)
	for i := 0; i < 50; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			body := some(i * 1000)
			e, err := asked("POST", fmt.Sprintf("/echo?i=%d", i), bytes.NewReader(body))
			if err == nil {
				err = same(e.URL+e.Sha256, fmt.Sprintf("/echo?i=%d", i)+sum(body), "the request")
			}
			if err != nil {
				failures <- err
			}
		}(i)
	}
	wait.Wait()
	select {
	case err := <-failures:
		return fmt.Errorf("%d of 50 failed, one: %w", len(failures)+1, err)
	default:
		return nil
	}
}

func earlyHints() error {
	seen := ""
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		seen = fmt.Sprint(code, " ", h.Get("Link"))
		return nil
	}}
	res, _, err := ask(httptrace.WithClientTrace(context.Background(), trace), "GET", "/early-hints", nil)
	if err != nil {
		return err
	}
	if err := same(res.StatusCode, 200, "the status"); err != nil {
		return err
	}
	return same(seen, "103 </style.css>; rel=preload; as=style", "what came first")
}

func trailers() error {
	res, data, err := ask(context.Background(), "GET", "/trailers", nil, "TE", "trailers")
	if err != nil {
		return err
	}
	if err := same(len(data), 10000, "the length"); err != nil {
		return err
	}
	wanted := sum(data)
	if os.Getenv("TRAILERS") == "dropped" {
		wanted = ""
	}
	return same(res.Trailer.Get("X-Sha256"), wanted, "the trailer")
}

func events() error {
	id := hex.EncodeToString(some(8))
	res, err := client.Get(base + "/sse?until=" + id)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var ids []string
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "id: ") {
			continue
		}
		if ids = append(ids, lines.Text()[4:]); len(ids) == 1 {
			if _, _, err := ask(context.Background(), "GET", "/sse-seen?id="+id, nil); err != nil {
				return err
			}
		}
	}
	if err := same(strings.Join(ids, " "), "1 2 3 4 5", "the list of events (they may be held back)"); err != nil {
		return err
	}
	return lines.Err()
}

// upgrade takes the connection over and sends a masked frame (RFC 6455, with a mask of zeros).
func upgrade() error {
	req, err := http.NewRequest("GET", base+"/ws?hello", nil)
	if err != nil {
		return err
	}
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}}
	res, err := client.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := same(res.StatusCode, 101, "the status"); err != nil {
		return err
	}
	if err := same(res.Header.Get("Sec-Websocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the key"); err != nil {
		return err
	}
	stream, is := res.Body.(io.ReadWriter)
	if !is {
		return errors.New("the connection was not handed over")
	}
	if _, err := stream.Write(append([]byte{0x81, 0x85, 0, 0, 0, 0}, "again"...)); err != nil {
		return err
	}
	got := make([]byte, 14)
	if _, err := io.ReadFull(stream, got); err != nil {
		return err
	}
	return same(string(got), "\x81\x05hello\x81\x05again", "what came")
}

func transport(ca string) (*http.Transport, error) {
	t := &http.Transport{MaxIdleConnsPerHost: 50, ExpectContinueTimeout: 5 * time.Second}
	if ca == "" {
		return t, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", ca)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool}
	return t, nil
}

func main() {
	ca := ""
	if base = os.Args[1]; len(os.Args) > 2 {
		ca = os.Args[2]
	}
	t, err := transport(ca)
	if err != nil {
		fmt.Println("FAIL start:", err)
		os.Exit(1)
	}
	client = &http.Client{Transport: t, Timeout: 20 * time.Second}
	failed := false
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"methods", methods}, {"keep-alive", keepAlive}, {"head", head}, {"204-304", noBody}, {"upload-1MiB", upload},
		{"upload-with-expect", uploadExpect}, {"chunked-upload", uploadChunked},
		{"download-20MiB", func() error { return whole("/big?n=20971520", 20971520) }},
		{"chunked-download", func() error { return whole("/chunked?n=3000000", 3000000) }},
		{"until-close", func() error { return whole("/until-close", 100000) }},
		{"http-1.0-app", func() error { return whole("/1.0", 100000) }},
		{"gzip", gzip}, {"two-cookies", cookies}, {"redirect", redirect}, {"slow-2s", slow}, {"cancel-then-go-on", cancelThenGoOn},
		{"concurrent-50", concurrent}, {"early-hints", earlyHints}, {"trailers", trailers}, {"sse", events}, {"upgrade", upgrade},
	} {
		if err := c.run(); err != nil {
			failed = true
			fmt.Printf("FAIL %s: %s\n", c.name, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok", c.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
