# Print every import that goes against the arrows between the stages: Sources/STAGE/…/TARGET/FILE.swift.
BEGIN {
    # What a stage may use of the stages other than itself, Mail and System.  Admin looks at all, and nobody at it.
    allowed["Accept"] = " QueueClient "
    allowed["Enqueue"] = " ScanPolicy ScanProtocol ScanWire "
    allowed["Send"] = " QueueStore QueueClient "
    # These only compute: clock, ids and files are handed to them.
    pure = " Address AliasFile Bounce ByteText ConnectionRules DNSMessage DeliveryReport DotQmail Envelope Filter MailFormat MessageComposition MessageStructure ProxyProtocol RemoteDialogue Routing SMTPGrammar ScanPolicy ScanProtocol Schedule "
    impure = " Posix ControlFiles "
    for (i = 1; i < ARGC; i++) {
        last = split(ARGV[i], path, "/")
        stage[path[last - 1]] = path[2]
    }
}
/^ *(package |internal |public |private |@[a-z_]+ )*import [A-Za-z]+/ {
    last = split(FILENAME, path, "/")
    module = $NF
    own = path[2]
    target = path[last - 1]
    if (module == "Testbed")
        print FILENAME ":" FNR ": Testbed is for tests"
    else if (module in stage && own != "Admin" && stage[module] != own && stage[module] != "System" \
            && !(stage[module] == "Mail" && own != "System") && !index(allowed[own], " " module " "))
        print FILENAME ":" FNR ": " own " must not import " module " of " stage[module]
    if (/internal import/)
        print FILENAME ":" FNR ": internal is what an import is without a word"
    if (module == "ArgumentParser" && target != "qhpsictl")
        print FILENAME ":" FNR ": only qhpsictl reads its arguments with ArgumentParser"
    if (index(pure, " " target " ") && index(impure, " " module " "))
        print FILENAME ":" FNR ": " target " is pure and must not import " module
}
