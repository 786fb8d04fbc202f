# Print every `package` or `public` declaration that no `///` stands before.
#
# swift-format has such a rule, which leaves out `package`.  One comment does for a run of one-line
# constants or properties that follow each other without an empty line, and `init() {}` needs none.
FNR == 1 { documented = 0; run = 0 }
/^[ \t]*\/\/\// { documented = 1; run = 0; next }
/^[ \t]*@[A-Za-z_]+(\([^)]*\))?[ \t]*$/ { next }
/^[ \t]*\/\// { next }
{
    declaration = $0 ~ /^[ \t]*(@[A-Za-z_]+(\([^)]*\))? +)*(package|public)(\(set\))? / \
        && $0 !~ /^[ \t]*(package|public) (import |init\(\) {}$)/
    constant = $0 ~ /^[ \t]*(package|public)( private\(set\))?( static)? (let|var) .*[^{]$/
    if (declaration && !documented && !(run && constant)) {
        print FILENAME ":" FNR ": no /// before: " $0
        bad = 1
    }
    run = constant && (documented || run)
    documented = 0
}
END { exit bad }
