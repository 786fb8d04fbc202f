# Print every function of more than 40 lines, its signature and closing brace included.
FNR == 1 { name = "" }
name == "" && /^ *[^\/]*(func [^ ]+|init|deinit|subscript).*[{(]$/ {
    match($0, /^ */)
    close_line = substr($0, 1, RLENGTH) "}"
    name = $0
    sub(/^ */, "", name)
    first = FNR
}
name != "" && $0 == close_line {
    if (FNR - first >= 40) print FILENAME ":" first ": " FNR - first + 1 " lines, at most 40: " name
    name = ""
}
