// swift-tools-version: 6.2
import PackageDescription

/// Two ways to build the same sources.
///
/// `QHPSI_EMBEDDED=1`, which the Makefile sets, makes what is installed: static programs of 0.8 MB and small plugins.
/// Without it the targets are ordinary Swift, which the tests and the fuzzers need.
let embedded = Context.environment["QHPSI_EMBEDDED"] == "1"
let fuzzing = Context.environment["QHPSI_FUZZ"] == "1"

/// Every Swift target is compiled with the same strictness.
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
    static func library(_ name: String, uses: Target.Dependency...) -> Target {
        .target(name: name, dependencies: uses, swiftSettings: strict)
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
            name: name, dependencies: uses + linked.start, swiftSettings: strict,
            linkerSettings: linked.settings)
    }
    /// A shared object that exports the entry points of qhpsi_plugin(3) only.
    static func plugin(_ name: String, uses: Target.Dependency...) -> Target {
        let exports = Context.packageDirectory + "/Sources/Inspect/CScanPlugin/plugin.exports"
        return .target(
            name: name, dependencies: uses, swiftSettings: strict,
            linkerSettings: Linkage.systemLinked.settings
                + (embedded
                    ? [.unsafeFlags(["-Xlinker", "--version-script=\(exports)"])] : []))
    }
    /// Tests of a library.
    static func tests(of name: String, uses: Target.Dependency...) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + uses,
            swiftSettings: strict)
    }
    /// Tests that drive the installed programs as a user would.
    static func programTests(_ name: String, uses: Target.Dependency...) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: ["Testbed"] + uses, swiftSettings: strict)
    }
    /// Swift that exports LLVMFuzzerTestOneInput, under libFuzzer's driver; see CONTRIBUTING.md.
    static func fuzzer(_ name: String, uses: Target.Dependency...) -> Target {
        // SwiftPM makes main the module's own, which a library-like fuzzer does not have.
        let main = String(name.map { $0 == "-" ? "_" : $0 }) + "_main"
        return .executableTarget(
            name: name, dependencies: ["CFuzz"] + uses, exclude: ["seeds"],
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
        .library("ControlFiles", uses: "ByteText", "Posix"),
        .library("Logging", uses: "ByteText"),
        .library("DNSMessage", uses: "ByteText"),
        .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .library("Resolver", uses: "ByteText", "CCares", "DNSMessage", "Posix"),
        .library("LocalUsers", uses: "ByteText", "ConstantDatabases", "ControlFiles", "Posix"),
        .library("Routing", uses: "ByteText"),
        .systemLibrary(name: "CTinyCDB", pkgConfig: "libcdb", providers: [.apt(["libcdb-dev"])]),
        .library("ConstantDatabases", uses: "ByteText", "CTinyCDB", "Posix"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    ]
let accept: [Target] = [
    .library("ConnectionRules", uses: "ByteText"),
    .library("RuleDatabase", uses: "ByteText", "ConnectionRules", "ConstantDatabases", "Posix"),
    .library("ProxyProtocol", uses: "ByteText"),
    .library(
        "ConnectionServer", uses: "ByteText", "ConnectionRules", "ConstantDatabases",
        "ControlFiles", "DNSMessage", "LocalUsers", "Posix", "ProxyProtocol", "Resolver", "Routing"),
    .library("SMTPGrammar", uses: "ByteText", "EnvelopeWire"),
    .library(
        "Recipients", uses: "ByteText", "ConnectionRules", "ConstantDatabases", "ControlFiles",
        "Posix", "RuleDatabase"),
    .library(
        "SMTPSession", uses: "ByteText", "ConstantDatabases", "ControlFiles", "DNSMessage",
        "EnvelopeWire", "LocalUsers", "Logging", "MailFormat", "Posix", "QueueClient", "Recipients",
        "Resolver", "Routing", "SMTPGrammar"),
    .library("TLSStream", uses: "ByteText", "ControlFiles", "COpenSSL", "Posix", "SMTPSession"),
    .bridge("CPAM", links: ["pam"]),
    .library("Checkpassword", uses: "ByteText", "ControlFiles", "CPAM", "Posix"),
    .library("MessageComposition", uses: "ByteText", "MailFormat"),
    .library(
        "Injection", uses: "ByteText", "ControlFiles", "EnvelopeWire", "LocalUsers", "MailFormat",
        "MessageComposition", "Posix", "QueueClient"),
    .program("tcprules", uses: "Posix", "RuleDatabase", linked: .selfContained),
    .program("tcprulescheck", uses: "Posix", "RuleDatabase", linked: .selfContained),
    .program("tcpserver", uses: "ConnectionServer", "Posix", linked: .selfContained),
    .program("qmail-recipients", uses: "Posix", "Recipients", linked: .selfContained),
    .program("qmail-smtpd", uses: "Posix", "SMTPSession", linked: .selfContained),
    .program("qmail-smtpd-tls", uses: "Posix", "TLSStream", linked: .systemLinked),
    .program("qhpsi-checkpassword", uses: "Checkpassword", "Posix", linked: .systemLinked),
    .program("qmail-inject", uses: "Injection", "Posix", linked: .selfContained),
    .program("sendmail", uses: "Injection", "Posix", linked: .selfContained),
]
let enqueue: [Target] = [
    .library("MailFormat", uses: "ByteText"),
    .library("EnvelopeWire", uses: "ByteText"),
    .library("QueueClient", uses: "ByteText", "EnvelopeWire", "MailFormat", "Posix"),
    .library(
        "QueueStore", uses: "ByteText", "ControlFiles", "EnvelopeWire", "LocalUsers", "Logging",
        "MailFormat", "Posix", "ScanPolicy", "ScanProtocol"),
    .program("qmail-queue", uses: "Posix", "QueueStore", linked: .selfContained),
    .program("queue-fix", uses: "Posix", "QueueStore", linked: .selfContained),
    .library(
        "QueueListing", uses: "ByteText", "ControlFiles", "EnvelopeWire", "MailFormat", "Posix",
        "QueueStore"),
    .program("qmail-qread", uses: "Posix", "QueueListing", linked: .selfContained),
    .program("qmail-qstat", uses: "Posix", "QueueListing", linked: .selfContained),
    .program("mailq", uses: "Posix", "QueueListing", linked: .selfContained),
]
let inspect: [Target] = [
    .systemLibrary(name: "CClamAV", pkgConfig: "libclamav", providers: [.apt(["libclamav-dev"])]),
    .bridge("CScanPlugin", exclude: ["plugin.exports"]),
    .bridge("CScanBroker"),
    .library("ScanProtocol", uses: "ByteText"),
    .library("MessageStructure", uses: "ByteText"),
    .library("ScanPlugin", uses: "ByteText", "CScanPlugin", "Posix", "ScanProtocol"),
    .library("ScanPolicy", uses: "ByteText", "ScanProtocol"),
    .library(
        "ScanHost", uses: "ByteText", "ClamdClient", "ControlFiles", "MessageStructure", "Posix",
        "ScanProtocol"),
    .library(
        "ScanBroker", uses: "ByteText", "ControlFiles", "CScanBroker", "Posix", "ScanHost",
        "ScanProtocol"),
    .library("HostStart", uses: "ByteText", "ClamdClient", "ControlFiles", "Posix", "ScanProtocol"),
    .library(
        "PluginHost", uses: "ByteText", "ControlFiles", "CScanPlugin", "HostStart", "Posix",
        "ScanPlugin", "ScanProtocol"),
    .library("ClamdClient", uses: "ByteText", "Posix", "ScanProtocol"),
    .library("ClamEngine", uses: "ByteText", "CClamAV", "Posix", "ScanProtocol"),
    .program("qhpsi", uses: "Posix", "ScanBroker", linked: .selfContained),
    .program("qhpsid", uses: "Posix", "ScanBroker", linked: .selfContained),
    .program("qhpsi-host", uses: "HostStart", "Posix", linked: .selfContained),
    .program("qhpsi-plugins", uses: "HostStart", "PluginHost", "Posix", linked: .systemLinked),
    .plugin(
        "PluginClamd", uses: "ByteText", "ClamdClient", "CScanPlugin", "Posix", "ScanPlugin",
        "ScanProtocol"),
    .plugin(
        "PluginLibclamav", uses: "ByteText", "ClamEngine", "CScanPlugin", "Posix", "ScanPlugin",
        "ScanProtocol"),
]
let sendQueue: [Target] = [
    .library("Schedule"),
    .library("DeliveryReport"),
    .library("Bounce", uses: "ByteText", "EnvelopeWire", "MailFormat"),
    .library("SendQueue", uses: "ByteText", "EnvelopeWire", "Posix", "QueueStore", "Schedule"),
    .library(
        "Sender", uses: "Bounce", "ByteText", "ControlFiles", "DeliveryReport", "EnvelopeWire",
        "Posix", "QueueStore", "Routing", "Schedule", "SendQueue"),
    .library("Cleaner", uses: "ByteText", "ControlFiles", "EnvelopeWire", "Posix", "QueueStore"),
    .library("SendStart", uses: "ByteText", "ControlFiles", "Posix"),
    .program("qmail-send", uses: "Posix", "Sender", linked: .selfContained),
    .program("qmail-clean", uses: "Cleaner", "Posix", linked: .selfContained),
    .program("qmail-start", uses: "Posix", "SendStart", linked: .selfContained),
]
let sendLocal: [Target] = [
    .library("Maildir", uses: "ByteText", "MailFormat", "Posix"),
    .library("Filter", uses: "ByteText"),
    .library("FilterStore", uses: "ByteText", "ControlFiles", "Filter", "Posix"),
    .library(
        "FilterDelivery", uses: "ByteText", "ControlFiles", "Filter", "FilterStore", "Maildir",
        "Posix", "QueueClient", "Routing"),
    .library("DotQmail", uses: "ByteText", "MailFormat"),
    .library("AliasFile", uses: "ByteText"),
    .library(
        "LocalDelivery", uses: "AliasFile", "ByteText", "ControlFiles", "DotQmail",
        "FilterDelivery", "LocalUsers", "Maildir", "MailFormat", "Posix", "QueueClient"),
    .library(
        "AliasDelivery", uses: "AliasFile", "ByteText", "ConstantDatabases", "ControlFiles",
        "LocalDelivery", "LocalUsers", "Posix"),
    .library(
        "LocalSpawner", uses: "ByteText", "ConstantDatabases", "ControlFiles", "DeliverySpawner",
        "LocalUsers", "Posix"),
    .library(
        "MailUsers", uses: "ByteText", "ConstantDatabases", "ControlFiles", "LocalUsers", "Posix"),
    .program("qmail-lspawn", uses: "LocalSpawner", "Posix", linked: .selfContained),
    .program("qmail-local", uses: "LocalDelivery", "Posix", linked: .selfContained),
    .program("vfilter", uses: "FilterDelivery", "Posix", linked: .selfContained),
    .program("vcfilter", uses: "FilterStore", "Posix", linked: .selfContained),
    .program("fastforward", uses: "AliasDelivery", "Posix", linked: .selfContained),
    .program("newaliases", uses: "AliasDelivery", "Posix", linked: .selfContained),
    .program("qmail-newu", uses: "MailUsers", "Posix", linked: .selfContained),
    .program("qmail-getpw", uses: "MailUsers", "Posix", linked: .selfContained),
]
let sendRemote: [Target] = [
    .library("RemoteDialogue", uses: "ByteText"),
    .library("RemoteDelivery", uses: "ByteText", "ControlFiles", "Posix", "RemoteDialogue"),
    .library("RelayRoutes", uses: "ByteText", "ControlFiles", "DNSMessage"),
    .library(
        "MailRoutes", uses: "ByteText", "ControlFiles", "DNSMessage", "Posix", "RelayRoutes",
        "RemoteDelivery", "RemoteDialogue", "Resolver"),
    .library(
        "RemoteTLS", uses: "ByteText", "ControlFiles", "COpenSSL", "Posix", "RemoteDelivery",
        "RemoteDialogue"),
    .library(
        "RemoteSpawner", uses: "ByteText", "ControlFiles", "DeliverySpawner", "Posix",
        "RelayRoutes", "RemoteDialogue"),
    .program("qmail-rspawn", uses: "Posix", "RemoteSpawner", linked: .selfContained),
    .program("qmail-remote", uses: "MailRoutes", "Posix", linked: .selfContained),
    .program("qmail-remote-tls", uses: "Posix", "RemoteTLS", linked: .systemLinked),
    .program("qmail-tcpto", uses: "Posix", "RemoteDelivery", linked: .selfContained),
    .program("qmail-tcpok", uses: "Posix", "RemoteDelivery", linked: .selfContained),
]

/// The admin's tool: ordinary Swift, because ArgumentParser is.
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let admin: [Target] = [
    .library("AdminReport"),
    .library(
        "SelfTest", uses: "AdminReport", "ByteText", "ControlFiles", "EnvelopeWire", "MailFormat",
        "Posix", "QueueStore"),
    .library(
        "Doctor", uses: "AdminReport", "ByteText", "ClamdClient", "ConnectionRules",
        "ConstantDatabases", "ControlFiles", "DotQmail", "FilterStore", "Posix", "Recipients",
        "RelayRoutes", "Routing", "ScanPolicy", "ScanProtocol", "SMTPGrammar", "SMTPSession"),
    .library(
        "Quarantine", uses: "AdminReport", "ByteText", "ConstantDatabases", "ControlFiles",
        "COpenSSL", "EnvelopeWire", "Filter", "FilterStore", "LocalUsers", "MailFormat", "Posix",
        "QueueClient", "Routing"),
    .program(
        "qhpsictl", uses: "AdminReport", "ControlFiles", "Doctor", "Posix", "Quarantine",
        "SelfTest", argumentParser, linked: .systemLinked),
]

/// The tests; not built into what is installed.
let systemTests: [Target] =
    ["ByteText", "Routing"].map { .tests(of: $0) } + [
        .tests(of: "Posix", uses: "Testbed"),
        .tests(of: "DNSMessage", uses: "ByteText"),
        .tests(of: "LocalUsers", uses: "Posix", "Testbed"),
        .tests(of: "ControlFiles", uses: "ByteText", "LocalUsers", "Posix", "Testbed"),
        .tests(of: "Resolver", uses: "ByteText", "DNSMessage", "Posix", "Testbed"),
    ]
let acceptTests: [Target] = [
    .tests(of: "ConnectionRules", uses: "ByteText"),
    .tests(of: "Recipients", uses: "ConnectionRules"),
    .tests(of: "ProxyProtocol", uses: "ByteText"),
    .tests(of: "SMTPGrammar", uses: "ByteText", "EnvelopeWire"),
    .tests(of: "MessageComposition"),
    .tests(of: "Injection", uses: "MessageComposition"),
]
let inspectTests: [Target] = [
    .tests(of: "ClamdClient", uses: "Posix", "ScanProtocol"),
    .tests(of: "ScanProtocol"),
    .tests(of: "MessageStructure", uses: "Posix", "Testbed"),
    .tests(of: "ScanPolicy", uses: "ScanProtocol"),
]
let sendTests: [Target] =
    [
        "AliasFile", "DeliveryReport", "DeliverySpawner", "DotQmail", "Filter", "RemoteDialogue",
        "Schedule",
    ].map { .tests(of: $0) } + [
        .tests(of: "Bounce", uses: "EnvelopeWire"),
        .tests(of: "SendQueue", uses: "EnvelopeWire", "Posix", "QueueStore", "Schedule", "Testbed"),
        .tests(of: "Maildir", uses: "Posix", "Testbed"),
        .tests(of: "FilterDelivery", uses: "ControlFiles"),
        .tests(of: "RemoteDelivery", uses: "ByteText"),
        .tests(of: "MailRoutes", uses: "ByteText", "RelayRoutes"),
        .tests(of: "RemoteSpawner", uses: "DeliverySpawner"),
    ]
let programTests: [Target] =
    ["QmailQueue", "Qhpsi", "QueueFix", "Trust", "Mail", "ServiceScript"].map { .programTests($0) }
    + [
        "QmailSend", "Fastforward", "QmailNewu", "QmailRecipients", "Tcprulescheck",
        "Tcpserver", "QmailInject", "Sendmail", "QueueListing", "Vcfilter", "Vfilter", "Qhpsictl",
        "QhpsiCheckpassword", "Qhpsid", "QmailRspawn", "QmailRemote", "QmailLocal",
    ].map { .programTests($0, uses: "Posix") } + [
        .programTests("QmailLspawn", uses: "Posix", "Routing"),
        .programTests("Plugin", uses: "ByteText", "Posix", "ScanProtocol"),
        .programTests("Tcprules", uses: "ByteText", "ConnectionRules", "Posix", "RuleDatabase"),
        .programTests("QmailSmtpd", uses: "EnvelopeWire", "Posix"),
    ]
let fuzzers: [Target] =
    [
        .bridge("CFuzz"),
        .fuzzer("fuzz-envelope", uses: "EnvelopeWire"),
        .fuzzer("fuzz-scrubber", uses: "MailFormat"),
        .fuzzer("fuzz-words", uses: "ScanPolicy", "ScanProtocol"),
        .fuzzer("fuzz-clamd", uses: "ByteText", "ClamdClient", "ScanProtocol"),
        .fuzzer("fuzz-structure", uses: "ByteText", "MessageStructure"),
        .fuzzer("fuzz-report", uses: "EnvelopeWire", "ScanProtocol"),
        .fuzzer("fuzz-rules", uses: "ByteText", "ConnectionRules"),
        .fuzzer("fuzz-dns", uses: "ByteText", "DNSMessage"),
        .fuzzer("fuzz-proxy", uses: "ByteText", "ProxyProtocol"),
        .fuzzer("fuzz-filter", uses: "ByteText", "Filter"),
        .fuzzer("fuzz-jobs", uses: "DeliverySpawner"),
        .fuzzer("fuzz-dotqmail", uses: "DotQmail"),
        .fuzzer("fuzz-aliases", uses: "AliasFile"),
        .fuzzer("fuzz-addresses", uses: "ByteText", "MessageComposition"),
        .fuzzer("fuzz-remote", uses: "ByteText", "RemoteDialogue"),
        .fuzzer("fuzz-smtp", uses: "ByteText", "EnvelopeWire", "SMTPGrammar"),
    ] + ["fuzz-auth", "fuzz-bdat"].map { .fuzzer($0, uses: "ByteText", "SMTPGrammar") }

/// One folder for each stage of the mail's way.
let stages = [
    ("System", system), ("Accept", accept), ("Enqueue", enqueue), ("Inspect", inspect),
    ("Send", [.library("DeliverySpawner", uses: "ByteText", "ControlFiles", "Posix")]),
    ("Send/Queue", sendQueue), ("Send/Local", sendLocal), ("Send/Remote", sendRemote),
].flatMap { below("Sources/\($0)", $1) }
/// Programs have a main.swift, and fuzzers are compiled without one.
let shipped = stages.filter { !fuzzing || $0.type != .executable }

let tests =
    below("Tests", [.library("Testbed", uses: "ByteText", "Posix")])
    + [
        ("Programs", programTests), ("System", systemTests), ("Accept", acceptTests),
        ("Enqueue", ["EnvelopeWire", "MailFormat"].map { .tests(of: $0) }),
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
