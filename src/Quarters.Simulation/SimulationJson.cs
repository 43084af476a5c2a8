using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quarters.Simulation;

/// <summary>How reports are written: as all documents are.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(SimulationReport))]
public sealed partial class SimulationJson : JsonSerializerContext;
