// Command server answers /api/roll and serves the frontend's files.
package main

import (
	"cmp"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"example.com/dice/dice"
)

func main() {
	public := cmp.Or(os.Getenv("PUBLIC_DIR"), "/app/public")
	addr := ":" + cmp.Or(os.Getenv("PORT"), "8080")

	http.Handle("GET /", http.FileServer(http.Dir(public)))
	http.HandleFunc("GET /api/roll", func(w http.ResponseWriter, r *http.Request) {
		expr := r.URL.Query().Get("dice")
		rolls, err := dice.Roll(expr)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"dice": expr, "rolls": rolls})
	})

	log.Printf("serving %s on %s", public, addr)
	log.Fatal(http.ListenAndServe(addr, nil))
}
