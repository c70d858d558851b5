// A TLS client: `go-client PORT AUTHORITY MODE ARGUMENTS`. What it sends, the server echoes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

var config *tls.Config

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func connect() *tls.Conn {
	conn, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], config)
	check(err)
	return conn
}

func sentence(who, index, bytes int) []byte {
	text := []byte(fmt.Sprintf("%d/%d ", who, index))
	for len(text) < bytes {
		text = append(text, byte('a'+len(text)%26))
	}
	return text
}

func readAll(conn *tls.Conn, bytes int, piece int) {
	buffer := make([]byte, piece)
	for bytes > 0 {
		wanted := buffer
		if bytes < piece {
			wanted = buffer[:bytes]
		}
		count, err := conn.Read(wanted)
		bytes -= count
		if bytes > 0 {
			check(err)
		}
	}
}

// deep uses up some stack and then calls, so that the stack has to grow in what is called, or was large before.
//
//go:noinline
func deep(levels int, then func()) byte {
	var room [96]byte
	room[levels%96] = byte(levels)
	if levels == 0 {
		then()
		return room[0]
	}
	return deep(levels-1, then) + room[levels%96]
}

// many lets COUNT goroutines have a connection each, and write and read ROUNDS times.
func many(count, rounds int) {
	var all sync.WaitGroup
	for who := 0; who < count; who++ {
		all.Add(1)
		go func(who int) {
			defer all.Done()
			conn := connect()
			defer conn.Close()
			for index := 0; index < rounds; index++ {
				text := sentence(who, index, 10+(who*7919+index*104729)%40000)
				all.Add(1)
				go func() {
					defer all.Done()
					_, err := conn.Write(text)
					check(err)
				}()
				readAll(conn, len(text), 1+(who*31+index*17)%5000)
			}
		}(who)
	}
	all.Wait()
}

// growing writes from goroutines whose stacks have ever less room left.
func growing() {
	conn := connect()
	defer conn.Close()
	for levels := 0; levels < 120; levels++ {
		done := make(chan bool)
		text := sentence(0, levels, 300)
		// Nothing that needs much stack comes before: it is Write that has to find room.
		go func() {
			deep(levels, func() { conn.Write(text) })
			readAll(conn, len(text), 100)
			done <- true
		}()
		<-done
	}
}

// shrinking lets stacks be moved by the garbage collector while their goroutines wait in Read.
func shrinking() {
	var all sync.WaitGroup
	for who := 0; who < 10; who++ {
		conn := connect()
		waiting := make(chan bool)
		all.Add(1)
		go func() {
			defer all.Done()
			deep(400, func() {})
			waiting <- true
			var buffer [256]byte
			count, err := conn.Read(buffer[:])
			if err != nil && err != io.EOF {
				panic(err)
			}
			if count == 0 {
				panic("nothing read")
			}
			conn.Close()
		}()
		<-waiting
		time.Sleep(20 * time.Millisecond)
		for round := 0; round < 3; round++ {
			runtime.GC()
		}
		_, err := conn.Write(sentence(who, 0, 200))
		check(err)
	}
	all.Wait()
}

// asking waits for an answer before the request is written, as net/http does.
func asking() {
	conn := connect()
	request := []byte("POST /v1/messages HTTP/1.1\r\n\r\n")
	done := make(chan bool)
	go func() {
		readAll(conn, len(request), 4096)
		done <- true
	}()
	time.Sleep(50 * time.Millisecond)
	_, err := conn.Write(request)
	check(err)
	<-done
	conn.Close()
}

// blocked writes more than the other side takes for a while.
func blocked() {
	conn := connect()
	text := append([]byte("WAIT"), sentence(0, 0, 16<<20)...)
	done := make(chan bool)
	go func() {
		readAll(conn, len(text), 1<<16)
		done <- true
	}()
	_, err := conn.Write(text)
	check(err)
	<-done
	conn.Close()
}

// talking asks from one goroutine, first something else: what it reads, it reads after it wrote.
func talking() {
	conn := connect()
	for _, path := range []string{"/other", "/v1/messages"} {
		request := []byte("POST " + path + " HTTP/1.1\r\n\r\n")
		_, err := conn.Write(request)
		check(err)
		readAll(conn, len(request), 4096)
	}
	conn.Close()
}

// conversing waits for both answers before it asks.
func conversing() {
	conn := connect()
	request := []byte("POST /v1/messages HTTP/1.1\r\n\r\n")
	answered := make(chan bool)
	go func() {
		buffer := make([]byte, 4096)
		for round := 0; round < 2; round++ {
			_, err := conn.Read(buffer)
			check(err)
			answered <- true
		}
	}()
	time.Sleep(50 * time.Millisecond)
	for round := 0; round < 2; round++ {
		_, err := conn.Write(request)
		check(err)
		<-answered
	}
	conn.Close()
}

func main() {
	authority, err := os.ReadFile(os.Args[2])
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	config = &tls.Config{RootCAs: pool, ServerName: "localhost"}
	switch os.Args[3] {
	case "many":
		many(number(os.Args[4]), number(os.Args[5]))
	case "blocked":
		blocked()
	case "growing":
		growing()
	case "asking":
		asking()
	case "talking":
		talking()
	case "conversing":
		conversing()
	case "shrinking":
		shrinking()
	}
}
