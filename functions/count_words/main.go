// Counts the words of a text, on the OS-only runtime: Lambda has no managed runtime for Go.
//
// It speaks the Runtime API with the standard library alone. A function of your own is better served by
// github.com/aws/aws-lambda-go.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

type event struct {
	Text string `json:"text"`
}

func serve(api string) error {
	answer, err := http.Get(api + "next")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	path, result := "/response", map[string]any{}
	var asked event
	if err := json.Unmarshal(body, &asked); err != nil {
		path, result = "/error", map[string]any{"errorType": "InvalidEvent", "errorMessage": err.Error()}
	} else {
		result["words"] = len(strings.Fields(asked.Text))
	}
	encoded, err := json.Marshal(result)
	if err != nil {
		return err
	}
	id := answer.Header.Get("Lambda-Runtime-Aws-Request-Id")
	posted, err := http.Post(api+id+path, "application/json", bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	return posted.Body.Close()
}

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(api); err != nil {
			log.Fatal(err)
		}
	}
}
