package virtual

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/matou-iot/matou/modem/modemtest"
)

// An SSL link looks at the certificate only where it is told to, and then the
// clock has to be right.
func TestESPSecureLinks(t *testing.T) {
	pair, ca := modemtest.SelfSigned(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		t.Fatal("no authority")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Put("tls.example:8883", func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
			if s.Handshake() == nil {
				s.Write([]byte("hi"))
				s.Read(make([]byte, 1))
			}
		})
		now := func() time.Time { return time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC) }
		b := espBench(t, Options{Network: w, Roots: roots, Now: now})
		const start = `AT+CIPSTART="SSL","tls.example",8883`
		open := func() {
			t.Helper()
			b.want(start, "CONNECT\r\n\r\nOK\r\n")
			b.hear("\r\n+IPD,2:hi")
			b.want("AT+CIPCLOSE", "CLOSED\r\n\r\nOK\r\n")
		}
		open() // whoever it is
		b.command("AT+CIPSSLCCONF=2")
		b.want(start, "\r\nERROR\r\nCLOSED\r\n") // it is 1970
		b.begins("time-not-set")
		b.command("AT+CIPSNTPCFG=1,8")
		time.Sleep(time.Minute)
		b.want(start, "\r\nERROR\r\nCLOSED\r\n")
		b.ends("time-not-set")
		time.Sleep(time.Minute)
		open()
		// There is memory for one.
		b.command("AT+CIPMUX=1")
		b.want(`AT+CIPSTART=0,"SSL","tls.example",8883`, "0,CONNECT\r\n\r\nOK\r\n")
		b.hear("\r\n+IPD,0,2:hi")
		b.want(`AT+CIPSTART=1,"SSL","tls.example",8883`, "\r\nERROR\r\n")
	})
}

// ESP-AT's own client over TLS and WebSocket: schemes 2, 3, 6 and 7.
func TestESPMQTTSchemes(t *testing.T) {
	pair, ca := modemtest.SelfSigned(t) // for another name
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	overTLS := func(serve func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) { serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})) }
	}
	for _, tt := range []struct {
		scheme, host string
		serve        func(net.Conn)
		ok           bool
	}{
		{"1", "tls.example", broker, true},
		{"1", "tls.example", overTLS(broker), false},
		{"2", "tls.example", overTLS(broker), true},
		{"3", "another.example", overTLS(broker), true},
		{"3", "tls.example", overTLS(broker), false},
		{"6", "tls.example", overWebSocket, true},
		{"7", "tls.example", overTLS(overWebSocket), true},
	} {
		t.Run(tt.scheme+" "+tt.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.Put(tt.host+":8883", tt.serve)
				now := func() time.Time { return time.Date(2025, 1, 15, 6, 15, 27, 0, time.UTC) }
				b := espBench(t, Options{Network: w, Roots: roots, Firmware: "2.2", Now: now}, "AT+CIPSNTPCFG=1,8")
				b.hear("+TIME_UPDATED\r\n")
				b.command(`AT+MQTTUSERCFG=0,` + tt.scheme + `,"dev","user","pass",0,0,"mqtt"`)
				b.command(`AT+MQTTCONNCFG=0,60,0,"","",0,0`)
				b.say(`AT+MQTTCONN=0,"` + tt.host + `",8883,0` + "\r\n")
				if !tt.ok {
					b.hear("\r\nERROR\r\n")
					return
				}
				b.hear("+MQTTCONNECTED:0," + tt.scheme + `,"` + tt.host + `","8883","mqtt",0` + "\r\n\r\nOK\r\n")
				b.want(`AT+MQTTPUB=0,"t","x",1,0`, "\r\nOK\r\n")
				b.want("AT+MQTTCLEAN=0", "+MQTTDISCONNECTED:0\r\n\r\nOK\r\n")
			})
		})
	}
}

// overWebSocket is broker behind a WebSocket.
func overWebSocket(c net.Conn) {
	done := make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		if r.URL.Path != "/mqtt" {
			http.NotFound(w, r)
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}})
		if err == nil {
			broker(websocket.NetConn(r.Context(), ws, websocket.MessageBinary))
			ws.CloseNow()
		}
	})}
	door := &doorway{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	door.conns <- c
	go s.Serve(door)
	<-done
	s.Close()
}
