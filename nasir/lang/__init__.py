"""The language: text to syntax tree to graph, and back to text. The only place that talks to Lark."""
