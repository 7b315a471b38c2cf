package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// publicDatabase is where govulncheck looks without being told.
const publicDatabase = "https://vuln.go.dev"

// vulnerabilities runs govulncheck on what the frontend's image holds. database is a URL, or file:///FOLDER for a
// copy of the database; empty is the public one. Where the public one does not answer, that is said, and it is no
// error: a machine without it checks nothing.
func vulnerabilities(ctx context.Context, database string) error {
	if database == "" {
		database = publicDatabase
		if err := answers(ctx, database+"/index/db.json"); err != nil {
			fmt.Printf("govulncheck did not run: its database does not answer (%v); VULNDB=file:///FOLDER names a copy\n", err)
			return nil
		}
	}
	program, err := tools.Bin(ctx, "govulncheck")
	if err != nil {
		return err
	}
	args := []string{"-db=" + database, "-tags=netgo,osusergo,static_build,grpcnotrace", "./frontend/cmd/stagecraft-frontend"}
	fmt.Println("govulncheck", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// answers asks a server for a page.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
