package sandbox

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
)

// forward carries every connection that a listener accepts to an address, until the listener is closed.
func forward(from net.Listener, to string) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			out, err := net.Dial("tcp", to)
			if err != nil {
				return // the other side sees its connection end
			}
			defer out.Close()
			join(conn, out)
		}()
	}
}

// join carries bytes both ways until both directions have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			// The end of one direction is passed on; the other may have more to say.
			if half, ok := way[0].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}

// newProxy is an HTTP proxy (RFC 9110, 7.6 and 9.3.6) to whatever this machine reaches.
func newProxy() http.Handler {
	plain := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			plain.ServeHTTP(w, r)
			return
		}
		out, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer out.Close()
		in, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer in.Close()
		// A client waits for this line before it sends more, so nothing is left in the server's buffer.
		if _, err := io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		join(in, out)
	})
}
