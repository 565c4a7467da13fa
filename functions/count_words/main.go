// Counts the words of a text, on the OS-only runtime: Lambda has no managed runtime for Go.
//
// It speaks the Runtime API itself, without net/http, which keeps it at 2 MB. A function of your own is better
// served by github.com/aws/aws-lambda-go.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
)

const api = "/2018-06-01/runtime/invocation/"

type event struct {
	Text string `json:"text"`
}

type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func call(method, path string, body []byte) (textproto.MIMEHeader, []byte, error) {
	host := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	connection, err := net.Dial("tcp", host)
	if err != nil {
		return nil, nil, err
	}
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "%s %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		method, api, path, host, len(body), body)
	if err != nil {
		return nil, nil, err
	}
	reader := textproto.NewReader(bufio.NewReader(connection))
	if _, err := reader.ReadLine(); err != nil {
		return nil, nil, err
	}
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		return nil, nil, err
	}
	content := io.Reader(reader.R)
	if size, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil {
		content = io.LimitReader(reader.R, size)
	}
	answer, err := io.ReadAll(content)
	return header, answer, err
}

func answer(body []byte) (string, any) {
	var asked event
	if err := json.Unmarshal(body, &asked); err != nil {
		return "/error", failure{"InvalidEvent", err.Error()}
	}
	return "/response", map[string]int{"words": len(strings.Fields(asked.Text))}
}

func serve() error {
	header, body, err := call("GET", "next", nil)
	if err != nil {
		return err
	}
	path, result := answer(body)
	encoded, err := json.Marshal(result)
	if err != nil {
		return err
	}
	_, _, err = call("POST", header.Get("Lambda-Runtime-Aws-Request-Id")+path, encoded)
	return err
}

func main() {
	for {
		if err := serve(); err != nil {
			log.Fatal(err)
		}
	}
}
