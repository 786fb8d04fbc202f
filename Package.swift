// swift-tools-version: 6.2
import PackageDescription

/// Two ways to build the same sources.
///
/// `QHPSI_EMBEDDED=1`, which the Makefile sets, makes what is installed: static programs of 0.8 MB and small plugins.
/// Without it the targets are ordinary Swift, which the tests and the fuzzers need.
let embedded = Context.environment["QHPSI_EMBEDDED"] == "1"
let fuzzing = Context.environment["QHPSI_FUZZ"] == "1"

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    + (embedded
        ? [
            .enableExperimentalFeature("Embedded"),
            // With a section for each function, what nobody calls is not linked.
            .unsafeFlags(["-wmo", "-Xfrontend", "-function-sections"]),
            // It names constants by their number in a function. The copies of a function in two modules
            // can number them differently, and the linker keeps one module's: `[0]` became `[32]`.
            .unsafeFlags(["-Xllvm", "-sil-disable-pass=object-outliner"]),
        ] : [])
    + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])] : [])

/// How a program or plugin is linked when it is built to be installed.
enum Linkage {
    /// No dynamic loader, no NSS, no plugins: programs run once per connection or message.
    case selfContained
    /// libc outside: programs that use dlopen, NSS or DNS.
    case systemLinked

    var settings: [LinkerSetting] {
        guard embedded else { return [] }
        // clang says that -pie is unused beside -static-pie; the driver always passes it.
        let common = [
            "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xclang-linker",
            "-Wno-unused-command-line-argument",
        ]
        return switch self {
        case .selfContained: [.unsafeFlags(common + ["-Xclang-linker", "-static-pie"])]
        // Resolved at the start and read-only from then on, no table of functions can be written over.
        case .systemLinked:
            [.unsafeFlags(common + ["-z", "relro", "-z", "now"].flatMap { ["-Xlinker", $0] })]
        }
    }

    /// What goes before main.
    var start: [Target.Dependency] {
        embedded && self == .selfContained ? ["CStart"] : []
    }
}

extension Target {
    /// Each may use ByteText, as mail is bytes.
    static func library(_ name: String, uses: Target.Dependency...) -> Target {
        .target(
            name: name, dependencies: name == "ByteText" ? [] : ["ByteText"] + uses,
            swiftSettings: strict)
    }
    /// C only: module maps, headers and short shims.
    static func bridge(
        _ name: String, exclude: [String] = [], links libraries: [String] = []
    ) -> Target {
        .target(
            name: name, exclude: exclude, linkerSettings: libraries.map { .linkedLibrary($0) })
    }
    static func program(_ name: String, uses: Target.Dependency..., linked: Linkage) -> Target {
        .executableTarget(
            name: name, dependencies: ["CommandLine", "Posix"] + uses + linked.start,
            swiftSettings: strict, linkerSettings: linked.settings)
    }
    /// A shared object that exports the entry points of qhpsi_plugin(3) only.
    static func plugin(_ name: String, uses: Target.Dependency...) -> Target {
        let exports = Context.packageDirectory + "/Sources/Inspect/CScanPlugin/plugin.exports"
        return .target(
            name: name, dependencies: ["ByteText"] + uses, swiftSettings: strict,
            linkerSettings: Linkage.systemLinked.settings
                + (embedded
                    ? [.unsafeFlags(["-Xlinker", "--version-script=\(exports)"])] : []))
    }
    /// Tests of a library, beside what all tests use.
    static func tests(of name: String, uses: String...) -> Target {
        .testTarget(
            name: "\(name)Tests",
            dependencies: Set([name, "ByteText", "Posix", "Testbed"] + uses).sorted().map {
                .init(stringLiteral: $0)
            }, swiftSettings: strict)
    }
    /// Tests that drive the installed programs as a user would.
    static func programTests(_ name: String, uses: Target.Dependency...) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: ["ByteText", "Posix", "Testbed"] + uses,
            swiftSettings: strict)
    }
    /// Swift that exports LLVMFuzzerTestOneInput, under libFuzzer's driver; see CONTRIBUTING.md.
    static func fuzzer(_ name: String, uses: [Target.Dependency]) -> Target {
        // SwiftPM makes main the module's own, which a library-like fuzzer does not have.
        let main = String(name.map { $0 == "-" ? "_" : $0 }) + "_main"
        return .executableTarget(
            name: name, dependencies: ["ByteText", "CFuzz"] + uses, exclude: ["seeds"],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags([
                    "-sanitize=fuzzer,address", "-use-ld=lld", "-Xclang-linker", "-no-pie",
                    "-Xlinker", "--defsym=\(main)=cfuzz_main",
                ])
            ])
    }
}

/// Targets of a folder, each in its own below it.
func below(_ folder: String, _ targets: [Target]) -> [Target] {
    for target in targets { target.path = "\(folder)/\(target.name)" }
    return targets
}

let system: [Target] =
    ["CBoot", "CStart", "CPosix"].map { .bridge($0) } + [
        .library("ByteText"),
        .library("Posix", uses: "CBoot", "CPosix"),
        .library("ControlFiles", uses: "Posix"),
        .library("CommandLine", uses: "Posix"),
        .library("Logging"),
        .library("DNSMessage"),
        .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .library("Resolver", uses: "CCares", "DNSMessage", "Posix"),
        .library("Routing"),
        .systemLibrary(name: "CTinyCDB", pkgConfig: "libcdb", providers: [.apt(["libcdb-dev"])]),
        .library("ConstantDatabases", uses: "CTinyCDB", "Posix"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    ]
let mail: [Target] = [
    .library("Address"),
    .library("Envelope"),
    .library("MailFormat"),
    .library("LocalUsers", uses: "ConstantDatabases", "ControlFiles", "Posix"),
]
let accept: [Target] = [
    .library("ConnectionRules"),
    .library("RuleDatabase", uses: "CommandLine", "ConnectionRules", "ConstantDatabases", "Posix"),
    .library("ProxyProtocol"),
    .library(
        "ConnectionServer", uses: "CommandLine", "ConnectionRules", "ConstantDatabases",
        "ControlFiles", "DNSMessage", "LocalUsers", "Posix", "ProxyProtocol", "Resolver", "Routing"),
    .library("SMTPGrammar", uses: "Address", "Envelope"),
    .library(
        "Recipients", uses: "CommandLine", "ConnectionRules", "ConstantDatabases", "ControlFiles",
        "Posix", "RuleDatabase"),
    .library(
        "SMTPSession", uses: "CommandLine", "ConstantDatabases", "ControlFiles", "DNSMessage",
        "Envelope", "LocalUsers", "Logging", "MailFormat", "Posix", "QueueClient", "Recipients",
        "Resolver", "Routing", "SMTPGrammar"),
    .library("TLSStream", uses: "CommandLine", "ControlFiles", "COpenSSL", "Posix", "SMTPSession"),
    .bridge("CPAM", links: ["pam"]),
    .library("Checkpassword", uses: "ControlFiles", "CPAM", "Posix"),
    .library("MessageComposition", uses: "Address", "MailFormat"),
    .library(
        "Injection", uses: "Address", "CommandLine", "ControlFiles", "Envelope", "LocalUsers",
        "MailFormat", "MessageComposition", "Posix", "QueueClient"),
    .program("tcprules", uses: "RuleDatabase", linked: .selfContained),
    .program("tcprulescheck", uses: "RuleDatabase", linked: .selfContained),
    .program("tcpserver", uses: "ConnectionServer", linked: .selfContained),
    .program("qmail-recipients", uses: "Recipients", linked: .selfContained),
    .program("qmail-smtpd", uses: "SMTPSession", linked: .selfContained),
    .program("qmail-smtpd-tls", uses: "TLSStream", linked: .systemLinked),
    .program("qhpsi-checkpassword", uses: "Checkpassword", linked: .systemLinked),
    .program("qmail-inject", uses: "Injection", linked: .selfContained),
    .program("sendmail", uses: "Injection", linked: .selfContained),
]
let enqueue: [Target] = [
    .library("QueueClient", uses: "Envelope", "MailFormat", "Posix"),
    .library(
        "QueueStore", uses: "CommandLine", "ControlFiles", "Envelope", "LocalUsers", "Logging",
        "MailFormat", "Posix", "ScanPolicy", "ScanProtocol", "ScanWire"),
    .program("qmail-queue", uses: "QueueStore", linked: .selfContained),
    .program("queue-fix", uses: "QueueStore", linked: .selfContained),
    .library(
        "QueueListing", uses: "CommandLine", "ControlFiles", "Envelope", "MailFormat", "Posix",
        "QueueStore"),
    .program("qmail-qread", uses: "QueueListing", linked: .selfContained),
    .program("qmail-qstat", uses: "QueueListing", linked: .selfContained),
    .program("mailq", uses: "QueueListing", linked: .selfContained),
]
let inspect: [Target] = [
    .systemLibrary(name: "CClamAV", pkgConfig: "libclamav", providers: [.apt(["libclamav-dev"])]),
    .bridge("CScanPlugin", exclude: ["plugin.exports"]),
    .bridge("CScanBroker"),
    .library("ScanProtocol"),
    .library("MessageStructure"),
    .library("ScanPlugin", uses: "CScanPlugin", "Posix", "ScanProtocol"),
    .library("ScanPolicy", uses: "ScanProtocol"),
    .library(
        "ScanHost", uses: "ClamdClient", "ControlFiles", "MessageStructure", "Posix", "ScanProtocol"
    ),
    .library("ScanWire", uses: "ControlFiles", "CScanBroker", "Posix", "ScanProtocol"),
    .library(
        "ScanBroker", uses: "ControlFiles", "CScanBroker", "Posix", "ScanHost", "ScanProtocol",
        "ScanWire"),
    .library("HostStart", uses: "ClamdClient", "ControlFiles", "Posix", "ScanProtocol"),
    .library(
        "PluginHost", uses: "ControlFiles", "CScanPlugin", "HostStart", "Posix", "ScanPlugin",
        "ScanProtocol"),
    .library("ClamdClient", uses: "Posix", "ScanProtocol"),
    .library("ClamEngine", uses: "CClamAV", "Posix", "ScanProtocol"),
    .program("qhpsi", uses: "ScanBroker", linked: .selfContained),
    .program("qhpsid", uses: "ScanBroker", linked: .selfContained),
    .program("qhpsi-host", uses: "HostStart", linked: .selfContained),
    .program("qhpsi-plugins", uses: "HostStart", "PluginHost", linked: .systemLinked),
    .plugin(
        "PluginClamd", uses: "ClamdClient", "CScanPlugin", "Posix", "ScanPlugin", "ScanProtocol"),
    .plugin(
        "PluginLibclamav", uses: "ClamEngine", "CScanPlugin", "Posix", "ScanPlugin", "ScanProtocol"),
]
let sendQueue: [Target] = [
    .library("Schedule"),
    .library("DeliveryReport"),
    .library("Bounce", uses: "Address", "Envelope", "MailFormat"),
    .library("SendQueue", uses: "Envelope", "Posix", "QueueStore", "Schedule"),
    .library(
        "Sender", uses: "Bounce", "ControlFiles", "DeliveryReport", "Envelope", "Posix",
        "QueueStore", "Routing", "Schedule", "SendQueue"),
    .library("Cleaner", uses: "ControlFiles", "Envelope", "Posix", "QueueStore"),
    .library("SendStart", uses: "CommandLine", "ControlFiles", "Posix"),
    .program("qmail-send", uses: "Sender", linked: .selfContained),
    .program("qmail-clean", uses: "Cleaner", linked: .selfContained),
    .program("qmail-start", uses: "SendStart", linked: .selfContained),
]
let sendLocal: [Target] = [
    .library("Maildir", uses: "MailFormat", "Posix"),
    .library("Filter"),
    .library("FilterStore", uses: "CommandLine", "ControlFiles", "Filter", "Posix"),
    .library(
        "FilterDelivery", uses: "ControlFiles", "Envelope", "Filter", "FilterStore", "Maildir",
        "Posix", "QueueClient", "Routing"),
    .library("DotQmail", uses: "Address", "MailFormat"),
    .library("AliasFile"),
    .library(
        "LocalDelivery", uses: "AliasFile", "CommandLine", "ControlFiles", "DotQmail", "Envelope",
        "FilterDelivery", "LocalUsers", "Maildir", "MailFormat", "Posix", "QueueClient"),
    .library(
        "AliasDelivery", uses: "AliasFile", "CommandLine", "ConstantDatabases", "ControlFiles",
        "LocalDelivery", "LocalUsers", "Posix"),
    .library(
        "LocalSpawner", uses: "CommandLine", "ConstantDatabases", "ControlFiles", "DeliverySpawner",
        "LocalUsers", "Posix"),
    .library(
        "MailUsers", uses: "CommandLine", "ConstantDatabases", "ControlFiles", "LocalUsers", "Posix"
    ),
    .program("qmail-lspawn", uses: "LocalSpawner", linked: .selfContained),
    .program("qmail-local", uses: "LocalDelivery", linked: .selfContained),
    .program("vfilter", uses: "FilterDelivery", linked: .selfContained),
    .program("vcfilter", uses: "FilterStore", linked: .selfContained),
    .program("fastforward", uses: "AliasDelivery", linked: .selfContained),
    .program("newaliases", uses: "AliasDelivery", linked: .selfContained),
    .program("qmail-newu", uses: "MailUsers", linked: .selfContained),
    .program("qmail-getpw", uses: "MailUsers", linked: .selfContained),
]
let sendRemote: [Target] = [
    .library("RemoteDialogue", uses: "Address"),
    .library(
        "RemoteDelivery", uses: "CommandLine", "ControlFiles", "Posix", "RemoteDialogue"
    ),
    .library("RelayRoutes", uses: "ControlFiles", "DNSMessage"),
    .library(
        "MailRoutes", uses: "ControlFiles", "DNSMessage", "Posix", "RelayRoutes", "RemoteDelivery",
        "RemoteDialogue", "Resolver"),
    .library(
        "RemoteTLS", uses: "ControlFiles", "COpenSSL", "Posix", "RemoteDelivery", "RemoteDialogue"),
    .library(
        "RemoteSpawner", uses: "CommandLine", "ControlFiles", "DeliverySpawner", "Posix",
        "RelayRoutes", "RemoteDialogue"),
    .program("qmail-rspawn", uses: "RemoteSpawner", linked: .selfContained),
    .program("qmail-remote", uses: "MailRoutes", linked: .selfContained),
    .program("qmail-remote-tls", uses: "RemoteTLS", linked: .systemLinked),
    .program("qmail-tcpto", uses: "RemoteDelivery", linked: .selfContained),
    .program("qmail-tcpok", uses: "RemoteDelivery", linked: .selfContained),
]

/// The admin's tool: ordinary Swift, because ArgumentParser is.
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let admin: [Target] = [
    .library("AdminReport"),
    .library(
        "SelfTest", uses: "AdminReport", "ControlFiles", "Envelope", "MailFormat", "Posix",
        "QueueStore"),
    .library(
        "Doctor", uses: "AdminReport", "ClamdClient", "ConnectionRules", "ConstantDatabases",
        "ControlFiles", "DotQmail", "FilterStore", "Posix", "Recipients", "RelayRoutes", "Routing",
        "ScanPolicy", "ScanProtocol", "SMTPGrammar", "SMTPSession"),
    .library(
        "Quarantine", uses: "AdminReport", "ConstantDatabases", "ControlFiles", "COpenSSL",
        "Envelope", "Filter", "FilterStore", "LocalUsers", "MailFormat", "Posix", "QueueClient",
        "Routing"),
    .program(
        "qhpsictl", uses: "AdminReport", "ControlFiles", "Doctor", "Quarantine", "SelfTest",
        argumentParser, linked: .systemLinked),
]

/// The tests; not built into what is installed.
let systemTests: [Target] =
    ["ByteText", "CommandLine", "DNSMessage", "Posix", "Routing"].map { .tests(of: $0) } + [
        .tests(of: "ControlFiles", uses: "LocalUsers"),
        .tests(of: "Resolver", uses: "DNSMessage"),
    ]
let acceptTests: [Target] =
    ["ConnectionRules", "ProxyProtocol"].map { .tests(of: $0) } + [
        .tests(of: "Recipients", uses: "ConnectionRules"),
        .tests(of: "SMTPGrammar", uses: "Envelope"),
        .tests(of: "MessageComposition", uses: "Address"),
        .tests(of: "Injection", uses: "MessageComposition"),
    ]
let inspectTests: [Target] =
    ["MessageStructure", "ScanProtocol"].map { .tests(of: $0) }
    + ["ClamdClient", "ScanPolicy"].map { .tests(of: $0, uses: "ScanProtocol") }
let sendTests: [Target] =
    [
        "AliasFile", "DeliveryReport", "DeliverySpawner", "DotQmail", "Filter", "Maildir",
        "RemoteDelivery", "RemoteDialogue", "Schedule",
    ].map { .tests(of: $0) } + [
        .tests(of: "Bounce", uses: "Envelope"),
        .tests(of: "SendQueue", uses: "Envelope", "QueueStore", "Schedule"),
        .tests(of: "FilterDelivery", uses: "ControlFiles"),
        .tests(of: "MailRoutes", uses: "RelayRoutes"),
        .tests(of: "RemoteSpawner", uses: "DeliverySpawner"),
    ]
let programTests: [Target] =
    [
        "Fastforward", "Mail", "Qhpsi", "QhpsiCheckpassword", "Qhpsictl", "Qhpsid", "QmailInject",
        "QmailLocal", "QmailNewu", "QmailQueue", "QmailRecipients", "QmailRemote", "QmailRspawn",
        "QmailSend", "QueueFix", "QueueListing", "Sendmail", "ServiceScript", "Tcprulescheck",
        "Tcpserver", "Trust", "Vcfilter", "Vfilter",
    ].map { .programTests($0) } + [
        .programTests("QmailLspawn", uses: "Routing"),
        .programTests("Plugin", uses: "ScanProtocol"),
        .programTests("Tcprules", uses: "ConnectionRules", "RuleDatabase"),
        .programTests("QmailSmtpd", uses: "Envelope"),
    ]
let fuzzers: [Target] =
    [.bridge("CFuzz")]
    + [
        ("addresses", ["Address", "MessageComposition"]), ("aliases", ["AliasFile"]),
        ("auth", ["SMTPGrammar"]), ("bdat", ["SMTPGrammar"]),
        ("clamd", ["ClamdClient", "ScanProtocol"]), ("dns", ["DNSMessage"]),
        ("dotqmail", ["DotQmail"]), ("envelope", ["Envelope"]), ("filter", ["Filter"]),
        ("jobs", ["DeliverySpawner"]), ("proxy", ["ProxyProtocol"]),
        ("remote", ["RemoteDialogue"]), ("report", ["Envelope", "ScanProtocol"]),
        ("rules", ["ConnectionRules"]), ("scan-request", ["Posix", "ScanProtocol", "ScanWire"]),
        ("scrubber", ["MailFormat"]),
        ("smtp", ["Envelope", "SMTPGrammar"]), ("structure", ["MessageStructure"]),
        ("words", ["ScanPolicy", "ScanProtocol"]),
    ].map { .fuzzer("fuzz-\($0)", uses: $1) }

/// One folder for each stage of the mail's way.
let stages = [
    ("System", system), ("Mail", mail), ("Accept", accept), ("Enqueue", enqueue),
    ("Inspect", inspect),
    ("Send", [.library("DeliverySpawner", uses: "ControlFiles", "Posix")]),
    ("Send/Queue", sendQueue), ("Send/Local", sendLocal), ("Send/Remote", sendRemote),
].flatMap { below("Sources/\($0)", $1) }
/// Programs have a main.swift, and fuzzers are compiled without one.
let shipped = stages.filter { !fuzzing || $0.type != .executable }

let tests =
    below("Tests", [.library("Testbed", uses: "Posix")])
    + [
        ("Programs", programTests), ("System", systemTests), ("Accept", acceptTests),
        ("Mail", ["Envelope", "LocalUsers", "MailFormat"].map { .tests(of: $0) }),
        ("Inspect", inspectTests), ("Send", sendTests), ("Admin", [.tests(of: "AdminReport")]),
    ].flatMap { below("Tests/\($0)", $1) }

/// While you work, `QHPSI_TESTS=QmailQueue,ByteText swift build --build-tests` builds only these tests.
let wanted = Context.environment["QHPSI_TESTS"]?.split(separator: ",").map { "\($0)Tests" }
let checks =
    wanted.map { names in tests.filter { $0.type != .test || names.contains($0.name) } }
    ?? below("Sources/Admin", admin) + tests
let package = Package(
    name: "qhpsi",
    products: fuzzing
        ? []
        : [
            .library(name: "clamd", type: .dynamic, targets: ["PluginClamd"]),
            .library(name: "libclamav", type: .dynamic, targets: ["PluginLibclamav"]),
        ],
    // What is installed is built from a copy beside the sources, which a source package has, too; see `tools/vendor`.
    dependencies: fuzzing || embedded || wanted != nil
        ? []
        : Context.environment["QHPSI_VENDORED"] == "1"
            ? [.package(path: "vendor/swift-argument-parser")]
            : [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")],
    targets: shipped + (fuzzing ? below("Fuzz", fuzzers) : embedded ? [] : checks),
    swiftLanguageModes: [.v6]
)
