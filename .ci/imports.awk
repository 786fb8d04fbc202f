# Print every import that goes against the arrows between the stages: Sources/STAGE/TARGET/FILE.swift.
BEGIN {
    # What a stage may use of the stages other than itself and System.
    allowed["Accept"] = " EnvelopeWire MailFormat QueueClient "
    allowed["Enqueue"] = " ScanProtocol ScanPolicy "
    allowed["Inspect"] = " "
    allowed["Send"] = " QueueStore MailFormat EnvelopeWire QueueClient "
    allowed["System"] = " "
    # The admin's tool looks at every stage and runs in none.
    everywhere = " Doctor Quarantine SelfTest qhpsictl "
    # These only compute: clock, ids and files are handed to them.
    pure = " AliasFile Bounce ByteText ConnectionRules DNSMessage DeliveryReport DotQmail Filter MailFormat MessageComposition MessageStructure ProxyProtocol RemoteDialogue Routing SMTPGrammar ScanPolicy ScanProtocol Schedule "
    impure = " Posix ControlFiles "
    for (i = 1; i < ARGC; i++) {
        split(ARGV[i], path, "/")
        stage[path[3]] = path[2]
    }
}
/^ *(package |internal |public |private |@[a-z_]+ )*import [A-Za-z]+/ {
    split(FILENAME, path, "/")
    module = $NF
    own = path[2]
    if (module == "Testbed")
        print FILENAME ":" FNR ": Testbed is for tests"
    else if (module in stage && stage[module] != own && stage[module] != "System" \
            && !index(allowed[own], " " module " ") && !index(everywhere, " " path[3] " "))
        print FILENAME ":" FNR ": " own " must not import " module " of " stage[module]
    if (module == "ArgumentParser" && path[3] != "qhpsictl")
        print FILENAME ":" FNR ": only qhpsictl reads its arguments with ArgumentParser"
    if (index(pure, " " path[3] " ") && index(impure, " " module " "))
        print FILENAME ":" FNR ": " path[3] " is pure and must not import " module
}
