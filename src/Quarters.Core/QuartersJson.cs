using System.Text.Json;
using System.Text.Json.Serialization;
using Quarters.Core.Builder;
using Quarters.Core.Documents;
using Quarters.Core.Master;
using Quarters.Core.Planning;
using Quarters.Core.Sources;

namespace Quarters.Core;

/// <summary>
/// How documents and journals are written: camelCase, enumerations by name (<see cref="CamelCase{T}"/>), nothing that
/// is null. Generated at build time, so that it works in a Native AOT binary.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(NodeDocument))]
[JsonSerializable(typeof(MasterStateDocument))]
[JsonSerializable(typeof(BuilderStateDocument))]
[JsonSerializable(typeof(BuildersDocument))]
[JsonSerializable(typeof(DigestDocument))]
[JsonSerializable(typeof(QueueDocument))]
[JsonSerializable(typeof(JobDocument))]
[JsonSerializable(typeof(PackageDocument))]
[JsonSerializable(typeof(BootstrapsDocument))]
[JsonSerializable(typeof(CyclesDocument))]
[JsonSerializable(typeof(ChangesDocument))]
[JsonSerializable(typeof(SnapshotDocument))]
[JsonSerializable(typeof(Signal))]
[JsonSerializable(typeof(SignalDocument))]
[JsonSerializable(typeof(SignalsDocument))]
[JsonSerializable(typeof(GraphPackage))]
[JsonSerializable(typeof(SourcePackage))]
[JsonSerializable(typeof(SourceReport))]
[JsonSerializable(typeof(MasterEvent))]
[JsonSerializable(typeof(MasterState))]
[JsonSerializable(typeof(BuilderEvent))]
[JsonSerializable(typeof(BuilderState))]
public sealed partial class QuartersJson : JsonSerializerContext;
